"""Batch normalization against its definition, and its gradients against differences."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.conv import norm

SHAPES = [(4, 3, 5, 6), (6, 5), (3, 2, 1, 1), (1, 2, 4, 4), (2, 3, 1, 7), (1, 3)]
if not config.DISABLE_JIT:
    SHAPES += [(8, 32, 20, 20), (300, 400)]
EPS = 1e-5


@pytest.fixture(params=SHAPES, ids=str)
def case(request):
    rng = np.random.default_rng(1)
    c = request.param[1]
    return rng.standard_normal(request.param) * 3 + 50, rng.standard_normal(c), rng.standard_normal(c)


def naive(x, gamma, beta, mean=None, var=None):
    axes = (0, *range(2, x.ndim))
    shape = (1, -1, *[1] * (x.ndim - 2))
    mean, var = (x.mean(axes), x.var(axes)) if mean is None else (mean, var)
    xhat = (x - mean.reshape(shape)) / np.sqrt(var.reshape(shape) + EPS)
    return gamma.reshape(shape) * xhat + beta.reshape(shape), mean, var


def close(a, b):
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)


def test_forward(case):
    for got, want in zip(norm.forward(*case, EPS), naive(*case), strict=True):
        close(got, want)


def test_forward_eval(case):
    x, gamma, beta = case
    rng = np.random.default_rng(2)
    mean, var = rng.standard_normal(len(gamma)), rng.uniform(1, 2, len(gamma))
    close(norm.forward_eval(x, gamma, beta, mean, var, EPS), naive(x, gamma, beta, mean, var)[0])


@pytest.mark.parametrize("own_statistics", [True, False])
def test_backward(case, own_statistics):
    """The directional derivative, by the chain rule written out."""
    x, gamma, beta = case
    rng = np.random.default_rng(3)
    dy, direction = rng.standard_normal(x.shape), rng.standard_normal(x.shape)
    mean, var = (
        (naive(*case)[1:]) if own_statistics else (rng.standard_normal(len(gamma)), rng.uniform(1, 2, len(gamma)))
    )
    dx, dgamma, dbeta = (norm.backward if own_statistics else norm.backward_eval)(dy, x, gamma, mean, var, EPS)
    axes, shape = (0, *range(2, x.ndim)), (1, -1, *[1] * (x.ndim - 2))
    xhat = naive(x, np.ones_like(gamma), np.zeros_like(beta), mean, var)[0]
    close(dgamma, (dy * xhat).sum(axes))
    close(dbeta, dy.sum(axes))
    inverse = gamma.reshape(shape) / np.sqrt(var.reshape(shape) + EPS)
    moved = direction
    if own_statistics:  # d xhat = (d x - mean(d x) - xhat mean(xhat d x)) / sqrt(var + eps)
        moved = direction - direction.mean(axes, keepdims=True) - xhat * (xhat * direction).mean(axes, keepdims=True)
    assert (dx * direction).sum() == pytest.approx((dy * inverse * moved).sum(), rel=1e-9, abs=1e-9)


def test_backward_by_differences():
    rng = np.random.default_rng(4)
    x, gamma, beta, dy = (
        rng.standard_normal((3, 2, 2, 3)),
        rng.standard_normal(2),
        rng.standard_normal(2),
        rng.standard_normal((3, 2, 2, 3)),
    )
    _, mean, var = norm.forward(x, gamma, beta, EPS)
    dx, *_ = norm.backward(dy, x, gamma, mean, var, EPS)
    step = 1e-5
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        slope = (dy * (naive(up, gamma, beta)[0] - naive(down, gamma, beta)[0])).sum() / (2 * step)
        assert dx[place] == pytest.approx(slope, abs=1e-7)


def test_large_mean_in_float32():
    """Two numbers in 10^5 apart: a sum of squares in float32 would lose the variance altogether."""
    x = (np.random.default_rng(5).standard_normal((4, 2, 9, 9)) + 1e4).astype(np.float32)
    one = np.ones(2, np.float32)
    y, mean, var = norm.forward(x, one, 0 * one, EPS)
    assert y.dtype == np.float32
    assert mean.dtype == var.dtype == np.float64
    np.testing.assert_allclose(var, x.astype(np.float64).var((0, 2, 3)), rtol=1e-10)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean((0, 2, 3)), rtol=1e-12)
    dx, dgamma, dbeta = norm.backward(x, x, one, mean, var, EPS)
    assert dx.dtype == dgamma.dtype == dbeta.dtype == np.float32


@pytest.mark.parametrize("shape", [(0, 3, 4, 4), (0, 3)])
def test_empty_batch(shape):
    x, one = np.zeros(shape), np.ones(3)
    assert norm.forward(x, one, one, EPS)[0].shape == shape
    assert norm.forward_eval(x, one, one, one, one, EPS).shape == shape
    dx, dgamma, dbeta = norm.backward(x, x, one, one, one, EPS)
    assert dx.shape == shape
    assert dgamma.tolist() == dbeta.tolist() == [0, 0, 0]


def test_views():
    x = np.random.default_rng(6).standard_normal((3, 5, 4, 6)).transpose(0, 3, 1, 2)[:, ::2]
    gamma = np.arange(1.0, 7)[::2]
    close(norm.forward(x, gamma, gamma, EPS)[0], naive(x, gamma, gamma)[0])


def test_pytorch(case):
    torch = pytest.importorskip("torch")
    x, gamma, beta = case
    if x.size == x.shape[1]:
        pytest.skip("PyTorch refuses one value a channel")
    tx, tg, tb = (torch.tensor(a, requires_grad=True) for a in case)
    y = torch.nn.functional.batch_norm(tx, None, None, tg, tb, True, 0.1, EPS)
    dy = np.random.default_rng(7).standard_normal(x.shape)
    y.backward(torch.tensor(dy))
    ours, mean, var = norm.forward(*case, EPS)
    close(ours, y.detach().numpy())
    for got, want in zip(norm.backward(dy, x, gamma, mean, var, EPS), (tx, tg, tb), strict=True):
        np.testing.assert_allclose(got, want.grad.numpy(), rtol=1e-8, atol=1e-8)
