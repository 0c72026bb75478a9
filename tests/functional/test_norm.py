"""lightnn/functional/norm.py: batch normalization against its definition, its gradient, its running statistics."""

import numpy as np
import pytest

from lightnn import Tensor
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
