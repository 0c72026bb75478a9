"""lightnn/functional/norm.py: batch normalization against its definition, its gradient, its running statistics."""

import numpy as np
import pytest

from lightnn import Tensor, nn
from lightnn import functional as F
from lightnn.testing import check_vjp

SHAPES = [(4, 3), (2, 3, 4, 5), (1, 2, 3, 1), (3, 1, 1, 1)]


def arguments(shape, rng):
    x = 2 + 3 * rng.standard_normal(shape)
    return x, rng.standard_normal(shape[1]), rng.standard_normal(shape[1])


def statistics(channels, rng):
    return {"running_mean": rng.standard_normal(channels), "running_var": 0.5 + rng.random(channels)}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_definition_and_gradient(shape, training, rng):
    x, weight, bias = arguments(shape, rng)
    running = statistics(shape[1], rng)
    before = {name: a.copy() for name, a in running.items()}
    axes = tuple(k for k in range(x.ndim) if k != 1)
    column = (slice(None), *[None] * (x.ndim - 2))
    mean, var = (x.mean(axes), x.var(axes)) if training else (before["running_mean"], before["running_var"])
    want = weight[column] * (x - mean[column]) / np.sqrt(var[column] + 1e-5) + bias[column]
    y = F.batch_norm(x, weight, bias, training=training, **running)
    np.testing.assert_allclose(y.data, want, rtol=1e-10, atol=1e-10)
    if training:  # as PyTorch: a tenth of the batch's mean and of its unbiased variance
        np.testing.assert_allclose(running["running_mean"], 0.9 * before["running_mean"] + 0.1 * mean)
        np.testing.assert_allclose(running["running_var"], 0.9 * before["running_var"] + 0.1 * x.var(axes, ddof=1))
    else:
        np.testing.assert_array_equal(list(running.values()), list(before.values()))
    check_vjp(F.batch_norm, x, weight, bias, training=training, tol=1e-5, **running)


def test_a_batch_that_is_normalized_has_mean_bias_and_deviation_weight(rng):
    x, weight, bias = arguments((64, 3, 5, 5), rng)
    y = F.batch_norm(x, weight, bias, training=True, eps=0, **statistics(3, rng)).data
    np.testing.assert_allclose(y.mean((0, 2, 3)), bias, atol=1e-12)
    np.testing.assert_allclose(y.std((0, 2, 3)), abs(weight), rtol=1e-12)


@pytest.mark.parametrize("shape", [(3,), (2, 4), (2, 4, 5), (2, 3, 4, 5, 6)])
def test_errors_name_what_came(shape, rng):
    with pytest.raises(
        ValueError, match=r"batch_norm: want x \(N, C\), \(N, C, L\) or \(N, C, H, W\) and vectors \(C,\); got x"
    ):
        F.batch_norm(np.ones(shape), np.ones(3), np.ones(3), **statistics(3, rng))


def test_one_value_a_channel_cannot_be_trained_on(rng):
    with pytest.raises(ValueError, match="batch_norm: want more than one value a channel when training"):
        F.batch_norm(np.ones((1, 3)), np.ones(3), np.ones(3), training=True, **statistics(3, rng))


@pytest.mark.oracle
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_agrees_with_pytorch(shape, training, rng, torch, same_as_torch):
    args, running = arguments(shape, rng), statistics(shape[1], rng)
    theirs = {name: torch.tensor(a) for name, a in running.items()}

    def twin(x, weight, bias):
        return torch.nn.functional.batch_norm(x, weight=weight, bias=bias, training=training, **theirs)

    same_as_torch(lambda *a: F.batch_norm(*a, training=training, **running), twin, *args)
    for name, a in running.items():
        np.testing.assert_allclose(a, theirs[name].numpy(), rtol=1e-12)


def test_float32_stays_float32(rng):
    x, weight, bias = (Tensor(a.astype(np.float32), requires_grad=True) for a in arguments((4, 3, 2, 2), rng))
    y = F.batch_norm(x, weight, bias, training=True, **statistics(3, rng))
    y.sum().backward()
    assert {a.dtype for a in (y, x.grad, weight.grad, bias.grad)} == {np.dtype(np.float32)}


@pytest.mark.parametrize("shape", [(4, 3), (4, 3, 5), (4, 3, 5, 5), (2, 3, 17, 9)])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_with_given_statistics_a_bad_number_stays_in_its_element(shape, bad, dtype, rng):
    x, weight, bias = (a.astype(dtype) for a in arguments(shape, rng))
    running = {name: a.astype(dtype) for name, a in statistics(3, rng).items()}
    at = (1, 2, *[0] * (len(shape) - 2))

    def run(x, dy):
        tensors = [Tensor(a, requires_grad=True) for a in (x, weight, bias)]
        y = F.batch_norm(*tensors, **running)
        y.backward(dy)
        return y.data, *(t.grad for t in tensors)

    dy = rng.standard_normal(shape).astype(dtype)
    y, dx, *_ = run(x, dy)
    for where, (changed_x, changed_dy) in {"x": (x.copy(), dy), "dy": (x, dy.copy())}.items():
        (changed_x if where == "x" else changed_dy)[at] = bad
        y2, dx2, *_ = run(changed_x, changed_dy)
        assert not np.isfinite((y2 if where == "x" else dx2)[at])
        for a, b in ((y, y2), (dx, dx2)):
            other = np.ones(shape, bool)
            other[at] = False
            np.testing.assert_array_equal(a[other], b[other])
        if where == "x":
            np.testing.assert_array_equal(dx, dx2)  # the statistics do not depend on x


@pytest.mark.parametrize("training", [True, False])
def test_the_length_of_a_sequence_is_one_more_axis_of_pixels(training, rng):
    x, weight, bias = arguments((4, 3, 6), rng)
    one, two = statistics(3, rng), None
    two = {name: a.copy() for name, a in one.items()}
    y = F.batch_norm(x, weight, bias, training=training, **one).data
    np.testing.assert_array_equal(y, F.batch_norm(x[..., None], weight, bias, training=training, **two).data[..., 0])
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])
    check_vjp(
        lambda *a: F.batch_norm(*a, training=training, **statistics(3, np.random.default_rng(1))), x, weight, bias
    )


@pytest.mark.oracle
@pytest.mark.parametrize("training", [True, False])
def test_batch_norm_1d_agrees_with_pytorch(training, rng, torch, same_as_torch):
    ours, theirs = nn.BatchNorm1d(3), torch.nn.BatchNorm1d(3).double()
    for p in ours.parameters():
        p.data = p.data.astype(np.float64)
    ours.running_mean, ours.running_var = ours.running_mean.astype(np.float64), ours.running_var.astype(np.float64)
    for m in (ours, theirs):
        m.train() if training else m.eval()
    for shape in ((4, 3, 6), (4, 3)):
        same_as_torch(ours, theirs, rng.standard_normal(shape))
    state = ours.state_dict()
    assert set(state) == set(theirs.state_dict())
    for name, want in theirs.state_dict().items():
        np.testing.assert_allclose(state[name], want.numpy(), rtol=1e-12)
