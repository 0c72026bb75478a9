"""Activations and channel shuffle against NumPy."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.conv import elementwise as e

SHAPES = [(7,), (2, 3, 4, 5), (0, 3), ()] + ([] if config.DISABLE_JIT else [(300, 500)])
FORMS = {  # kernel, its gradient, the value and the slope of the definition
    "relu": (e.relu, e.relu_backward, lambda x: np.maximum(x, 0), lambda x: x > 0),
    "relu6": (e.relu6, e.relu6_backward, lambda x: np.clip(x, 0, 6), lambda x: (x > 0) & (x < 6)),
    "hardtanh": (
        lambda x: e.clamp(x, -1, 1),
        lambda dy, x: e.clamp_backward(dy, x, -1, 1),
        lambda x: np.clip(x, -1, 1),
        lambda x: abs(x) < 1,
    ),
    "hardswish": (
        e.hardswish,
        e.hardswish_backward,
        lambda x: x * np.clip(x + 3, 0, 6) / 6,
        lambda x: np.where(x <= -3, 0, np.where(x < 3, x / 3 + 0.5, 1)),
    ),
}


@pytest.fixture(params=FORMS.values(), ids=FORMS)
def form(request):
    return request.param


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_slopes(form, shape, dtype):
    value, gradient, want, slope = form
    rng = np.random.default_rng(1)
    x, dy = (np.asarray(4 * rng.standard_normal(shape), dtype) for _ in range(2))
    y, dx = value(x), gradient(dy, x)
    assert y.dtype == dx.dtype == dtype
    assert y.shape == dx.shape == shape
    close = {"rtol": 1e-10, "atol": 1e-10} if dtype == np.float64 else {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(y, want(x), **close)
    np.testing.assert_allclose(dx, dy * slope(x), **close)


def test_kinks(form):
    value, gradient, want, slope = form
    x = np.array([-3.0, -1, 0, 1, 3, 6])
    np.testing.assert_allclose(value(x), want(x), rtol=1e-12)
    np.testing.assert_allclose(gradient(np.ones_like(x), x), slope(x), rtol=1e-12, atol=1e-12)
    assert np.isnan(value(np.array([np.nan]))).all()


def test_views(form):
    x = np.random.default_rng(2).standard_normal((6, 5)).T[::2]
    np.testing.assert_allclose(form[0](x), form[2](x), rtol=1e-12)
    np.testing.assert_allclose(form[1](x, x), x * form[3](x), rtol=1e-12)


@pytest.mark.parametrize(
    "shape", [(2, 6, 3, 4), (0, 6, 2, 2), (1, 12, 1, 1)] + ([] if config.DISABLE_JIT else [(4, 60, 30, 31)]), ids=str
)
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_channel_shuffle(shape, groups):
    x = np.random.default_rng(3).standard_normal(shape)
    n, c, h, w = shape
    y = e.channel_shuffle(x, groups)
    np.testing.assert_array_equal(y, x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(shape))
    np.testing.assert_array_equal(e.channel_shuffle(y, c // groups), x)


def test_pytorch():
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    x = np.random.default_rng(4).standard_normal(200) * 4
    x[:6] = [-3, -1, 0, 1, 3, 6]
    dy = np.random.default_rng(5).standard_normal(200)
    for name, theirs in {"relu": f.relu, "relu6": f.relu6, "hardtanh": f.hardtanh, "hardswish": f.hardswish}.items():
        tx = torch.tensor(x, requires_grad=True)
        y = theirs(tx)
        y.backward(torch.tensor(dy))
        np.testing.assert_allclose(FORMS[name][0](x), y.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(FORMS[name][1](dy, x), tx.grad.numpy(), atol=1e-12, err_msg=name)
    x = torch.tensor(np.random.default_rng(6).standard_normal((2, 12, 3, 3)))
    np.testing.assert_array_equal(e.channel_shuffle(x.numpy(), 3), torch.channel_shuffle(x, 3).numpy())
