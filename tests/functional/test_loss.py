"""lightnn/functional/loss.py: losses by their definitions, averaged over the batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightnn import Tensor
from lightnn import functional as F
from lightnn.testing import check_vjp


@pytest.mark.parametrize(("N", "K"), [(5, 4), (1, 1), (1, 10), (7, 2)])
@pytest.mark.parametrize("dtype", [np.int64, np.uint8])
def test_cross_entropy_definition(N, K, dtype, rng):
    x, target = rng.standard_normal((N, K)), rng.integers(0, K, N).astype(dtype)
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    want = -np.mean([np.log(p[n, target[n]]) for n in range(N)])
    np.testing.assert_allclose(F.cross_entropy(x, target).data, want, rtol=1e-12, atol=1e-15)
    check_vjp(F.cross_entropy, x, target)


def test_the_gradient_of_cross_entropy_is_the_error_of_the_probabilities(rng):
    x, target = Tensor(rng.standard_normal((5, 4)), requires_grad=True), np.array([0, 3, 3, 1, 2])
    F.cross_entropy(x, target).backward()
    np.testing.assert_allclose(x.grad, (F.softmax(x).data - np.eye(4)[target]) / 5, rtol=1e-12)


def test_knowing_nothing_costs_log_k():
    np.testing.assert_allclose(F.cross_entropy(np.zeros((3, 10)), np.array([0, 5, 9])).item(), np.log(10))


def test_cross_entropy_of_huge_logits_is_finite():
    x = Tensor(np.array([[1e4, -1e4], [-1e4, 1e4]], np.float32), requires_grad=True)
    y = F.cross_entropy(x, [0, 0])
    y.backward()
    assert (y.item(), y.dtype, x.grad.dtype) == (1e4, np.float32, np.float32)
    np.testing.assert_array_equal(x.grad, [[0, 0], [-0.5, 0.5]])


def test_a_target_may_be_named():
    x = Tensor(np.zeros((2, 3)), requires_grad=True)
    assert F.cross_entropy(x, target=np.array([0, 1])).requires_grad


def test_non_contiguous_logits(rng):
    check_vjp(F.cross_entropy, rng.standard_normal((8, 5)).T[::-1, ::2], np.arange(8)[::2][[0, 1, 0, 1, 0]] // 2)


@pytest.mark.parametrize(
    ("x", "target", "error", "message"),
    [
        (np.ones((3, 4)), [0, 1], ValueError, r"labels target \(N,\), N > 0; got x \(3, 4\), target \(2,\)"),
        (np.ones(4), [0], ValueError, r"want logits x \(N, K\) .*; got x \(4,\)"),
        (np.ones((0, 4)), np.zeros(0, int), ValueError, "N > 0"),
        (np.ones((2, 4)), np.eye(4)[:2], ValueError, r"target \(2, 4\)"),
        (np.ones((2, 4)), [0, 4], ValueError, "want labels from 0 to 3, got 0 to 4"),
        (np.ones((2, 4)), [-1, 2], ValueError, "want labels from 0 to 3, got -1 to 2"),
        (np.ones((2, 4)), [0.0, 1.0], TypeError, "want integer labels, got dtype float64"),
        (np.ones((2, 4), int), [0, 1], TypeError, "want floating-point arrays of one dtype, got x int64"),
    ],
)
def test_cross_entropy_errors(x, target, error, message):
    with pytest.raises(error, match="cross_entropy: .*" + message):
        F.cross_entropy(x, np.array(target))


@pytest.mark.parametrize("shape", [(), (1,), (3, 4), (2, 3, 1, 2)], ids=str)
def test_mse_loss_definition(shape, rng):
    x, target = (np.asarray(rng.standard_normal(shape)) for _ in range(2))
    np.testing.assert_allclose(F.mse_loss(x, target).data, ((x - target) ** 2).mean(), rtol=1e-12)
    check_vjp(F.mse_loss, x, target)
    check_vjp(F.mse_loss, x.T, target.T)


def test_mse_loss_keeps_float32():
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = F.mse_loss(x, np.zeros((2, 3), np.float32))
    y.backward()
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize(
    ("x", "target", "error", "message"),
    [
        (np.ones((3, 1)), np.ones(3), ValueError, r"of one shape, not empty; got x \(3, 1\), target \(3,\)"),
        (np.ones((0, 2)), np.ones((0, 2)), ValueError, "not empty"),
        (np.ones(2), np.ones(2, np.float32), TypeError, "of one dtype, got x float64, target float32"),
    ],
)
def test_mse_loss_errors(x, target, error, message):
    with pytest.raises(error, match="mse_loss: .*" + message):
        F.mse_loss(x, target)


@pytest.mark.oracle
@pytest.mark.parametrize(("N", "K"), [(5, 4), (1, 1), (64, 10)])
def test_agrees_with_pytorch(N, K, rng, torch, same_as_torch):
    x, target = 10 * rng.standard_normal((N, K)), rng.integers(0, K, N)
    same_as_torch(F.cross_entropy, torch.nn.functional.cross_entropy, x, target)
    same_as_torch(F.mse_loss, torch.nn.functional.mse_loss, x, rng.standard_normal((N, K)))


OPTIONS = {
    "weight": st.none() | st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=4, max_size=4).map(np.array),
    "ignore_index": st.sampled_from([-100, 0, 2, 7]),
    "reduction": st.sampled_from(["mean", "sum", "none"]),
    "label_smoothing": st.sampled_from([0.0, 0.1, 0.5, 1.0]),
}


@pytest.mark.oracle
def test_the_options_of_cross_entropy_agree_with_pytorch(torch):
    @given(st.fixed_dictionaries(OPTIONS), st.integers(0, 1000), st.integers(1, 6))
    def check(options, seed, n):
        rng = np.random.default_rng(seed)
        x, target = 3 * rng.standard_normal((n, 4)), rng.choice([0, 1, 2, 3, options["ignore_index"]], n)
        target[(target < 0) | (target > 3)] = options["ignore_index"]
        ours, theirs = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y = F.cross_entropy(ours, target, **options)
        weight = None if options["weight"] is None else torch.tensor(options["weight"])
        want = torch.nn.functional.cross_entropy(theirs, torch.tensor(target), **options | {"weight": weight})
        assert np.isfinite(y.data).all() == bool(torch.isfinite(want).all())  # else the weights' sum is 0
        if np.isfinite(y.data).all():
            np.testing.assert_allclose(y.data, want.detach().numpy(), rtol=1e-10, atol=1e-12)
            dy = np.asarray(rng.standard_normal(y.shape))
            y.backward(dy)
            want.backward(torch.tensor(dy))
            np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)

    check()


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_gradients_with_options(reduction, smoothing, rng):
    x, target = rng.standard_normal((5, 4)), np.array([0, 3, 2, -1, 1])
    options = {"reduction": reduction, "label_smoothing": smoothing, "ignore_index": -1}
    check_vjp(lambda x: F.cross_entropy(x, target, weight=np.array([1.0, 2, 0.5, 3]), **options), x)


def test_options_by_hand():
    x, target = np.zeros((2, 4)), np.array([1, -100])
    log4 = np.log(4)
    assert F.cross_entropy(x, target).data == pytest.approx(log4)  # the ignored one does not count
    assert F.cross_entropy(x, target, reduction="sum").data == pytest.approx(log4)
    assert F.cross_entropy(x, target, reduction="none").data.tolist() == pytest.approx([log4, 0])
    assert np.isnan(F.cross_entropy(x, np.full(2, -100)).data)
    assert F.cross_entropy(x, np.full(2, -100), reduction="sum").data == 0


def test_a_logit_of_minus_infinity_costs_nothing_where_it_is_no_target():
    x = Tensor(np.array([[0.0, -np.inf, 0.0]]), requires_grad=True)
    y = F.cross_entropy(x, np.array([0]))
    y.backward()
    assert y.data == pytest.approx(np.log(2)) and x.grad.tolist() == [[-0.5, 0, 0.5]]


@pytest.mark.parametrize(
    "options", [{}, {"reduction": "none"}, {"label_smoothing": 0.1, "weight": np.ones(3)}], ids=str
)
def test_cross_entropy_keeps_float32(options):
    x = Tensor(np.ones((2, 3), np.float32), requires_grad=True)
    y = F.cross_entropy(x, np.array([0, 2]), **options)
    y.backward(np.ones(y.shape, np.float32))
    assert (y.dtype, x.grad.dtype) == (np.float32, np.float32)


@pytest.mark.parametrize("bad", [-5, 3, 99])
def test_a_label_that_is_neither_a_class_nor_ignored_is_named(bad):
    with pytest.raises(ValueError, match=f"want labels from 0 to 2, got .*{bad}"):
        F.cross_entropy(np.ones((2, 3)), np.array([0, bad]))


def test_squared_hinge_by_hand():
    """t = (1, -1) and (-1, 1): the margins 1 - t x are 0.5, 3 and 0, 0.25."""
    x = Tensor(np.array([[0.5, 2.0], [-1.5, 0.75]]), requires_grad=True)
    loss = F.squared_hinge(x, np.array([0, 1]))
    assert loss.item() == pytest.approx((0.25 + 9 + 0.0625) / 2)
    loss.backward()
    np.testing.assert_allclose(x.grad, [[-0.5, 3], [0, -0.25]])


@pytest.mark.parametrize("shape", [(5, 3), (1, 1), (4, 10)])
def test_squared_hinge_has_its_gradient(rng, shape):
    x, target = rng.standard_normal(shape), rng.integers(0, shape[1], shape[0])
    check_vjp(lambda x: F.squared_hinge(x, target), x)
    loss = F.squared_hinge(x.astype(np.float32), target)
    assert loss.dtype == np.float32 and loss.shape == ()


@pytest.mark.parametrize(
    ("x", "target", "error", "message"),
    [
        (np.ones((0, 3)), np.zeros(0, int), ValueError, r"squared_hinge: want scores x \(N, K\) .* N > 0"),
        (np.ones(3), np.zeros(3, int), ValueError, r"got x \(3,\), target \(3,\)"),
        (np.ones((2, 3)), np.zeros(3, int), ValueError, r"got x \(2, 3\), target \(3,\)"),
        (np.ones((2, 3)), np.zeros(2), TypeError, "squared_hinge: want integer labels"),
        (np.ones((2, 3)), np.array([0, 3]), ValueError, "squared_hinge: want labels from 0 to 2, got 0 to 3"),
        (np.ones((2, 3), int), np.array([0, 1]), TypeError, "squared_hinge: want floating-point"),
    ],
)
def test_what_has_no_squared_hinge_is_refused(x, target, error, message):
    with pytest.raises(error, match=message):
        F.squared_hinge(x, target)
