"""lightnn/compress/transforms/binary.py: weights of one bit."""

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, nn
from lightnn.compress import (
    Binary,
    Mask,
    StochasticBinary,
    decode,
    encode,
    use_binary,
    use_binary_filters,
    use_stochastic_binary,
)
from lightnn.compress.transforms.binary import binarize, clip_latent, draw_signs, filter_scales
from lightnn.io import save_to_train
from lightnn.nn import Parameter
from lightnn.optim import SGD, Adam
from lightnn.testing import check_vjp


@pytest.mark.parametrize("alpha", [1.0, np.nan, 0.25])
def test_it_obeys_the_laws_of_a_transform(laws, alpha):
    laws(lambda latent: Binary(alpha))


def test_with_a_scale_for_each_filter_too(laws):
    laws(lambda latent: use_binary_filters(Parameter(latent)))


def test_random_signs_obey_them_in_eval_mode(laws):
    laws(lambda latent: StochasticBinary(rng=0).eval())


def test_by_hand():
    """Two filters: E|W| = 2 and 0.5. sign(0) and sign(-0.0) are +1."""
    p = Parameter(np.array([[3.0, -1.0], [0.0, -1.0]], np.float32))
    use_binary_filters(p)
    assert p().data.tolist() == [[2, -2], [0.5, -0.5]]
    use_binary(p)
    assert p().data.tolist() == [[1, -1], [1, -1]]
    p.data = np.array([[-0.0, np.nan]], np.float32)
    np.testing.assert_array_equal(p().data, [[1, np.nan]])


def test_the_gradient_is_the_papers_formula():
    """n = 2: dL/dW = dL/dw (1/2 + alpha 1[|W| <= 1]), and without 1/n where alpha is a constant."""
    W, dy = np.array([[1.0, -3.0], [0.5, -0.5]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    for use, want in (
        (use_binary_filters, dy * (0.5 + np.array([[2.0], [0.5]]) * [[1, 0], [1, 1]])),
        (use_binary, dy * [[1, 0], [1, 1]]),
    ):
        p = Parameter(W.copy())
        use(p)
        p().backward(dy)
        np.testing.assert_allclose(p.grad, want, rtol=1e-15)


def test_the_papers_gradient_leaves_out_what_alpha_passes_on(rng):
    """The true derivative of alpha(W) B, the signs B held, is sign(W_i) / n sum_j dy_j B_j: check_vjp agrees with it,
    and the paper's formula, without its 1[|W| <= 1] part, is only the term j = i of that sum."""
    W, dy = rng.standard_normal((1, 5)), rng.standard_normal((1, 5))
    B, n = np.sign(W), 5

    def alpha_times(W):
        return abs(W).mean(1, keepdims=True) * Tensor(B)

    check_vjp(alpha_times, W)
    x = Tensor(W, requires_grad=True)
    alpha_times(x).backward(dy)
    np.testing.assert_allclose(x.grad, B / n * (dy * B).sum(), rtol=1e-12)
    own = B / n * (dy * B)
    y = Tensor(3 * np.sign(W), requires_grad=True)  # beyond 1, where the sign passes nothing
    binarize(y, alpha=1.0, n=n).backward(dy)
    np.testing.assert_allclose(y.grad, own, rtol=1e-12)


def test_signs_and_the_mean_magnitude_are_the_best_of_all(rng):
    """|W - alpha B|^2 by brute force over all B, each with its own best alpha = W.B / n."""
    for _ in range(10):
        W = rng.standard_normal((1, 7))
        p = Parameter(W)
        use_binary_filters(p)
        errors = []
        for bits in np.ndindex(*[2] * 7):
            B = 2.0 * np.array(bits) - 1
            errors.append(((W - (W @ B / 7) * B) ** 2).sum())
        assert ((W - p().data) ** 2).sum() == pytest.approx(min(errors), rel=1e-12)


def test_each_filter_has_its_own_scale_and_what_is_pruned_is_not_measured():
    p = Parameter(np.array([[9.0, 3.0, -1.0], [1.0, 1.0, 7.0], [1.0, 1.0, 1.0]], np.float32))
    p.support = Mask(np.array([[False, True, True], [True, True, False], [False] * 3]))
    use_binary_filters(p)
    assert p().data.tolist() == [[0, 2, -2], [1, 1, 0], [0, 0, 0]]
    p().backward(np.ones((3, 3), np.float32))
    np.testing.assert_allclose(p.grad, [[0, 0.5, 0.5 + 2], [0.5 + 1, 0.5 + 1, 0], [0] * 3])
    p.values = Binary(np.nan)
    assert np.unique(np.abs(p().data)).tolist() == [0, 1.5]


@pytest.mark.parametrize("W", [[[3e38, -3e38]], [[0.0, 0.0]], [[1e-45, 0.0]]])
def test_scales_of_the_largest_and_the_smallest_weights(W):
    W = np.array(W, np.float32)
    scale = filter_scales(W)
    assert scale.dtype == np.float32 and np.isfinite(scale).all()
    assert scale[0] == pytest.approx(float(np.abs(W.astype(np.float64)).mean()), rel=1e-6, abs=1e-45)
    assert filter_scales(np.zeros((3, 0), np.float32)).tolist() == [0, 0, 0]
    assert filter_scales(np.zeros((0, 3), np.float32)).shape == (0,)


def test_latent_weights_are_clipped_after_each_step_and_only_then(rng):
    plain, p = Parameter(np.full(3, 0.9, np.float32)), Parameter(np.array([0.9, -0.9, 5.0], np.float32))
    use_binary(p)
    assert p.data[2] == 5
    for make in (SGD, Adam):
        optimizer = make([plain, p], lr=0.5)
        p.grad, plain.grad = np.array([-1, 1, 0], np.float32), -np.ones(3, np.float32)
        optimizer.step()
        assert np.abs(p.data).max() == 1 and plain.data.min() > 1
    p.data[:], p.grad = 7, None
    optimizer.step()
    assert (p.data == 7).all()  # no gradient, no step


def test_random_signs_have_the_latent_weight_as_their_mean():
    W = np.array([-2.0, -1.0, -0.5, 0.0, 0.3, 1.0, 2.0])
    p = Parameter(np.repeat(W[:, None], 4000, 1))
    values = use_stochastic_binary(p, rng=3)
    w = p().data
    assert set(np.unique(w)) == {-1, 1}
    np.testing.assert_allclose(w.mean(1), np.clip(W, -1, 1), atol=0.06)
    assert (w != p().data).any(), "each use draws anew"
    p().backward(np.full(p.shape, 2.0))
    assert (p.grad == 2).all(), "the gradient passes"
    values.eval()
    np.testing.assert_array_equal(p().data, np.where(p.data >= 0, 1, -1))
    np.testing.assert_array_equal(decode(encode(p)), p().data)
    assert draw_signs(np.array([np.nan]), np.random.default_rng(0)).tolist() == [False]


def test_random_signs_come_from_the_generator_that_was_given(rng):
    p, twin = (Parameter(rng.standard_normal((9, 9)) / 2) for _ in range(2))
    twin.data = p.data.copy()
    use_stochastic_binary(p, rng=5), use_stochastic_binary(twin, rng=np.random.default_rng(5))
    np.testing.assert_array_equal(p().data, twin().data)


def test_a_network_with_random_signs_is_saved_as_its_signs_even_in_training_mode(tmp_path, rng):
    model = nn.Sequential(nn.Linear(6, 5, rng=0))
    use_stochastic_binary(model[0].weight, rng=0)
    model.train()
    lightnn.save(model, tmp_path / "a.lnn")
    loaded = lightnn.load(tmp_path / "a.lnn")
    np.testing.assert_array_equal(loaded[0].weight().data, np.where(model[0].weight.data >= 0, 1, -1))
    assert isinstance(loaded[0].weight.values, StochasticBinary) and model.training
    loaded.train()
    np.testing.assert_array_equal(loaded[0].weight().data, loaded.eval()[0].weight().data)  # -1 and 1 are certain


def test_training_goes_on_from_a_file_to_train(tmp_path, rng):
    model = nn.Sequential(nn.Linear(6, 5, rng=0), nn.Linear(5, 4, rng=1))
    use_binary_filters(model[0].weight), use_binary(model[1].weight)
    save_to_train(model, tmp_path / "a.lnn")
    loaded = lightnn.load(tmp_path / "a.lnn")
    for m in (model, loaded):
        SGD(m.parameters(), lr=0.1)
        m(Tensor(np.ones((2, 6), np.float32))).sum().backward()
    for a, b in zip(model.parameters(), loaded.parameters(), strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        np.testing.assert_array_equal(a.grad, b.grad)


def test_a_sign_takes_a_bit_in_a_file(tmp_path, rng):
    model = nn.Sequential(nn.Linear(800, 512, bias=False, rng=0))
    use_binary_filters(model[0].weight)
    lightnn.save(model, tmp_path / "a.lnn")
    parts = lightnn.inspect(tmp_path / "a.lnn").bytes_by_part()
    assert parts["signs"] == 800 * 512 // 8 + 1 and parts["scale"] >= 4 * 512  # and a byte for the form
    assert (tmp_path / "a.lnn").stat().st_size < 800 * 512 // 8 + 4 * 512 + 300


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": np.float32([np.inf])}, "Binary: scale: want finite numbers"),
        ({"scale": np.float32([np.nan])}, "Binary: scale: want finite numbers"),
        ({"scale": np.float32([0])}, r"want finite numbers from 2\^-126 on"),
        ({"scale": np.array([1])}, r"want an array \(1,\) or \(O,\) of floats, got int64"),
        ({"scale": np.ones((1, 1))}, r"of floats, got float64 of \(1, 1\)"),
        (
            {"scale": np.ones(3)},
            r"want signs, bool, and a scale \(1,\) or \(2,\); got bool \(2, 2\) and a scale \(3,\)",
        ),
        ({"signs": np.ones((2, 2), np.int64)}, "want signs, bool, .* got int64"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change, message):
    parts = Binary().encode(np.ones((2, 2), np.float32)) | change
    with pytest.raises(ValueError, match=message):
        Binary.decode(parts)
    if "signs" not in change and len(change["scale"]) < 3:
        with pytest.raises(ValueError, match="Binary: scale"):
            Binary.restore(parts)


def test_what_can_not_be_binary_is_refused():
    bad = Parameter(np.array([1.0, np.nan], np.float32))
    for use in (use_binary, use_binary_filters, use_stochastic_binary):
        with pytest.raises(ValueError, match=f"{use.__name__}: p: want finite numbers"):
            use(bad)
    bad.values = Binary()
    with pytest.raises(ValueError, match="Binary: latent weights: want finite numbers"):
        encode(bad)
    with pytest.raises(ValueError, match="StochasticBinary: scale: want 1, got"):
        StochasticBinary.restore({"scale": np.float32([0.5]), "signs": np.ones(1, bool)})
    with pytest.raises(ValueError, match="Binary: alpha: want finite numbers"):
        Binary(0.0)


def test_a_weight_with_other_filters_is_refused():
    p = Parameter(np.ones((5, 4), np.float32))
    for alpha in (np.ones(3), np.full(3, np.nan)):
        p.values = Binary(alpha)
        with pytest.raises(ValueError, match=r"Binary: want a weight of 3 filters, got one of shape \(5, 4\)"):
            p()


def test_clipping_leaves_its_argument_and_nan_as_they_are():
    W = np.array([-3.0, -1.0, 0.2, 1.5, np.nan], np.float32)
    before = W.copy()
    np.testing.assert_array_equal(clip_latent(W), np.array([-1, -1, 0.2, 1, np.nan], np.float32), strict=True)
    np.testing.assert_array_equal(W, before)
