"""lightnn/compress/transforms/soft.py: weights of Quantization Networks."""

import math

import numpy as np
import pytest

import lightnn
from lightnn import Tensor, nn, runtime
from lightnn import functional as F
from lightnn.compress import (
    Mask,
    RisingTemperature,
    SoftQuantizer,
    decode,
    encode,
    kmeans_biases,
    linear_biases,
    set_temperature,
    soft_quantizer,
    use_soft_quantizer,
)
from lightnn.compress.transforms.soft import first_scales, rising_temperature, step_heights
from lightnn.io import save_to_train
from lightnn.nn import Parameter
from lightnn.optim import SGD

LEVELS = [(-1, 1), (-1, 0, 1), (-4, -2, -1, 0, 1, 2, 4)]
SEVEN = LEVELS[-1]


@pytest.mark.parametrize("Y", LEVELS)
@pytest.mark.parametrize("biases", [kmeans_biases, linear_biases])
def test_it_obeys_the_laws_of_a_transform(laws, Y, biases):
    laws(lambda latent: use_soft_quantizer(Parameter(latent), Y, biases))


def test_the_example_of_the_chapter():
    s, o = step_heights(SEVEN)
    assert s.tolist() == [2, 1, 1, 1, 1, 2] and o == 4
    assert first_scales(np.array([[0.2], [-0.5]]), SEVEN) == (10, 0.1)
    assert linear_biases(None, SEVEN).tolist() == [-3, -1.5, -0.5, 0.5, 1.5, 3]
    assert [rising_temperature(epoch, 5) for epoch in (-1, 0, 1, 2, 10)] == [5, 5, 5, 10, 50]


def test_biases_by_hand():
    """Centres -4, -2, 0, 2, 4 of five clusters: the steps stand at -3, -1, 1, 3, and the middle ones are moved."""
    v = np.array([-4.0, -4, -2, 0, 0, 2, 4, 4])
    assert kmeans_biases(v, (-2, -1, 0, 1, 2)).tolist() == [-3, -0.05, 0.05, 3]
    assert kmeans_biases(v, (0, 1, 2, 3, 4)).tolist() == [-3, -1, 1, 3]
    assert kmeans_biases(v, (-3, -2, -1, 1, 2)).tolist() == [-3, -1, 0, 3]
    assert kmeans_biases(v, (-1, 1)).tolist() == [0] and kmeans_biases(v, (-1, 0, 1)).tolist() == [-0.05, 0.05]
    near = np.array([-0.04, -0.03, -0.02, 0.0, 0.02, 0.03, 0.04])
    assert kmeans_biases(near, SEVEN).tolist() == [-0.05, -0.05, -0.05, 0.05, 0.05, 0.05]


def quantized(rng, Y=SEVEN, T=8.0):
    p = Parameter(rng.standard_normal((6, 5)))
    use_soft_quantizer(p, Y)
    p.values.temperature = np.full(1, T)
    return p


def test_soft_in_training_and_hard_elsewhere(rng):
    p = quantized(rng)
    q, alpha = p.values, p.values.alpha.data[0]
    given = (p.data, q.alpha.data, q.beta.data, q.biases)
    np.testing.assert_array_equal(p().data, F.soft_quantize(*given, Y=SEVEN, T=8.0).data)
    levels = set(np.array(SEVEN) * alpha)
    assert not set(p().data.ravel()) <= levels
    for hard in (lambda: q.eval(), lambda: set_temperature(q.train(), math.inf)):
        hard()
        np.testing.assert_array_equal(p().data, F.hard_quantize(*given, Y=SEVEN).data)
        assert set(p().data.ravel()) <= levels
    np.testing.assert_array_equal(decode(encode(p)), p().data)


def test_what_is_stored_is_hard_however_soft_it_is_now(rng):
    p = quantized(rng)
    encoded, hard = encode(p), F.hard_quantize(p.data, p.values.alpha, p.values.beta, p.values.biases, Y=SEVEN)
    np.testing.assert_array_equal(decode(encoded), hard.data)
    assert encoded.parts["codes"].dtype == np.uint8 and encoded.parts["levels"].tolist() == list(SEVEN)


def test_files_to_run_and_to_go_on_training(rng, tmp_path):
    model = nn.Sequential(nn.Linear(7, 5, rng=0), nn.ReLU(), nn.Linear(5, 3, rng=1))
    use_soft_quantizer(model[0].weight, SEVEN)
    model[0].weight.values.beta.data *= np.float32(1.1)
    set_temperature(model, 12.0)
    x, path = rng.standard_normal((4, 7)).astype(np.float32), tmp_path / "a.lnn"
    lightnn.save(model, path)
    np.testing.assert_array_equal(lightnn.load(path)(x).data, model.eval()(x).data)
    assert np.isinf(lightnn.load(path)[0].weight.values.temperature).all()
    save_to_train(model.train(), path)
    again = lightnn.load(path).train()
    assert model.training and again[0].weight.values.temperature == 12
    np.testing.assert_array_equal(again(x).data, model(x).data)
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array)


def test_it_runs_on_codes_with_and_without_a_mask(rng):
    model = nn.Sequential(nn.Conv2d(2, 4, 3, rng=0), nn.ReLU(), nn.Conv2d(4, 3, 3, rng=1))
    for i, layer in enumerate((model[0], model[2])):
        use_soft_quantizer(layer.weight, SEVEN)
        layer.weight.support = Mask(rng.random(layer.weight.shape) < 0.3) if i else None
    x = rng.standard_normal((2, 2, 8, 8)).astype(np.float32)
    lowered = runtime.lower(model.eval())
    assert [type(layer).__name__ for layer in lowered] == ["CodebookConv2d", "ReLU", "SparseConv2d"]
    np.testing.assert_allclose(lowered(x).data, model(x).data, rtol=1e-5, atol=1e-6)
    assert lowered[0].codes.dtype == np.uint8


def test_a_pruned_weight_stays_0_and_gets_no_gradient(rng):
    p = quantized(rng)
    p.support = Mask(rng.random(p.shape) < 0.5)
    p().backward(np.ones(p.shape))
    assert not p().data[~p.support.mask].any() and not p.grad[~p.support.mask].any()
    assert p.grad[p.support.mask].any()


@pytest.mark.parametrize("Y", LEVELS)
def test_it_learns_and_the_hard_form_follows(rng, Y):
    """Weights that few levels give exactly: as T rises, the hard form becomes as good as the soft one."""
    x, w = rng.standard_normal((200, 8)), rng.choice(Y, (3, 8))
    p = Parameter(0.3 * rng.standard_normal((3, 8)) + 0.1 * w)
    q = use_soft_quantizer(p, Y)
    optimizer, rising = SGD([p, q.alpha, q.beta], lr=0.01, momentum=0.9), RisingTemperature(q, 2.0)

    def loss():
        return F.mse_loss(F.linear(Tensor(x), p(), None), x @ w.T)

    start = loss().item()
    for _ in range(15):
        for _ in range(30):
            optimizer.zero_grad()
            value = loss()
            value.backward()
            optimizer.step()
        rising.step()
    q.eval()
    assert loss().item() < start / 10 and rising.epoch == 16 and q.temperature == 32


def test_one_quantizer_for_several_weights(rng):
    a, b = Parameter(rng.standard_normal((3, 4))), Parameter(9 * rng.standard_normal((3, 4)))
    a.values = b.values = q = soft_quantizer(np.concatenate([a.data.ravel(), b.data.ravel()]), (-1, 0, 1))
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3))
    model[0].weight, model[1].weight = a, b
    assert set_temperature(model, 3.0) == 1 and q.temperature == 3
    (a().sum() + b().sum()).backward()
    assert q.alpha.grad.shape == (1,) and a.grad is not None and b.grad is not None


@pytest.mark.parametrize("Y", [(-1, 0, 2), (0, 1), (1,), (1, -1)])
def test_levels_that_do_not_fit(Y):
    with pytest.raises(ValueError, match="soft_quantizer: Y: want "):
        use_soft_quantizer(Parameter(np.ones(3)), Y)


def test_biases_and_scales_that_do_not_fit():
    one, b = np.ones(1), np.array([-0.05, 0.05])
    for wrong in (b[::-1], b[:1], b * np.nan, np.array([0, 1])):
        with pytest.raises(ValueError, match="SoftQuantizer: biases: want 2 finite floats, ascending"):
            SoftQuantizer((-1, 0, 1), one, one, wrong)
    for wrong in (np.zeros(1), np.ones(2), np.array([np.nan]), np.array([-1.0])):
        with pytest.raises(ValueError, match="SoftQuantizer: alpha: "):
            SoftQuantizer((-1, 0, 1), wrong, one, b)
        with pytest.raises(ValueError, match="SoftQuantizer: beta: "):
            SoftQuantizer((-1, 0, 1), one, wrong, b)


def test_hostile_parts_are_refused(rng):
    parts = encode(quantized(rng, (-1, 0, 1))).parts
    for name, value, match in (
        ("codes", np.array([3]), "want codes from 0 to 2, got 3 to 3"),
        ("levels", np.array([-1.0, 0, 1]), "Y: want ints"),
        ("levels", np.array([-1, 0, 2]), "symmetric about 0"),
        ("levels", np.array([[-1, 1]]), "Y: want 2 to 256 ascending ints"),
        ("scale", np.array([0.0]), "SoftQuantizer: scale"),
    ):
        with pytest.raises(ValueError, match=match):
            SoftQuantizer.decode({**parts, name: value})


def test_weights_that_are_not_finite_are_refused(rng):
    with pytest.raises(ValueError, match="use_soft_quantizer: p: want finite numbers"):
        use_soft_quantizer(Parameter(np.array([1.0, np.nan])), (-1, 1))
    p = quantized(rng)
    p.data[0, 0] = np.inf
    with pytest.raises(ValueError, match="SoftQuantizer: latent weights: want finite numbers"):
        encode(p)


def test_it_says_what_it_is(rng):
    assert repr(quantized(rng).values) == "SoftQuantizer(levels -4 -2 -1 0 1 2 4, T 8)"
    many = soft_quantizer(rng.standard_normal(99), tuple(range(-9, 10)))
    assert repr(many) == "SoftQuantizer(levels -9 -8 -7 -6 -5 -4 -3 -2 -1 ...)"
