"""Pooling against its definition, window by window."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.conv import pool

# shape, kernel, stride, padding (top, bottom, left, right)
CASES = [
    ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0, 0, 0)),
    ((2, 3, 9, 7), (3, 3), (2, 2), (1, 1, 1, 1)),
    ((1, 2, 7, 9), (3, 2), (1, 3), (1, 0, 0, 1)),
    ((1, 2, 8, 8), (3, 3), (2, 2), (0, 1, 0, 1)),
    ((1, 2, 9, 9), (1, 2), (3, 4), (0, 0, 0, 0)),
    ((3, 2, 1, 1), (1, 1), (1, 1), (0, 0, 0, 0)),
    ((3, 2, 1, 1), (3, 3), (2, 2), (1, 1, 1, 1)),
    ((0, 2, 6, 6), (2, 2), (2, 2), (0, 0, 0, 0)),
    ((1, 1, 3, 5000), (3, 3), (1, 1), (1, 1, 1, 1)),
]
if not config.DISABLE_JIT:
    large = (2, 16, 40, 40), (3, 3), (2, 2), (1, 1, 1, 1)  # enough for threads
    CASES.append(pytest.param(large, marks=pytest.mark.thorough, id="large"))


@pytest.fixture(params=CASES, ids=str)
def case(request):
    shape, *options = request.param
    return np.random.default_rng(2).integers(-20, 20, shape).astype(np.float64), *options  # many ties


def windows(x_shape, kernel, stride, padding):
    """(i, j), the rows and the columns of the window of output (i, j) that lie inside x."""
    top, bottom, left, right = padding
    out_h = (x_shape[2] + top + bottom - kernel[0]) // stride[0] + 1
    out_w = (x_shape[3] + left + right - kernel[1]) // stride[1] + 1
    for i, j in np.ndindex(out_h, out_w):
        h, w = i * stride[0] - top, j * stride[1] - left
        yield (i, j), slice(max(h, 0), max(h + kernel[0], 0)), slice(max(w, 0), max(w + kernel[1], 0))


def naive_max(x, *options):
    cells = list(windows(x.shape, *options))
    n, c, _, width = x.shape
    y, where = (np.zeros((n, c, *(1 + k for k in cells[-1][0])), t) for t in (x.dtype, np.int32))
    for (i, j), rows, columns in cells:
        seen = x[:, :, rows, columns]
        flat = seen.reshape(n, c, seen.shape[2] * seen.shape[3])
        y[:, :, i, j] = flat.max(2)
        best = flat.argmax(2)
        where[:, :, i, j] = (rows.start + best // seen.shape[3]) * width + columns.start + best % seen.shape[3]
    return y, where


def test_max_pool2d(case):
    y, where = pool.max_pool2d(*case)
    want, place = naive_max(*case)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(where, place)
    assert where.dtype == np.int32


def test_max_pool2d_backward(case):
    x = case[0]
    y, where = naive_max(*case)
    dy = np.random.default_rng(3).standard_normal(y.shape)
    want = np.zeros((*x.shape[:2], x.shape[2] * x.shape[3]))
    for n, c, i, j in np.ndindex(*y.shape):
        want[n, c, where[n, c, i, j]] += dy[n, c, i, j]
    dx = pool.max_pool2d_backward(dy, where, x.shape)
    np.testing.assert_allclose(dx, want.reshape(x.shape), rtol=1e-12, atol=1e-12)


def test_max_pool2d_nan_and_infinity():
    x = np.full((1, 1, 4, 4), -np.inf, np.float32)
    y, where = pool.max_pool2d(x, (3, 3), (2, 2), (1, 1, 1, 1))
    assert np.isneginf(y).all()
    assert where[0, 0].tolist() == [[0, 1], [4, 5]]  # the first place of each window that is inside
    x[0, 0, 1, 1] = np.nan
    y, where = pool.max_pool2d(x, (2, 2), (2, 2), (0, 0, 0, 0))
    assert np.isnan(y).ravel().tolist() == [True, False, False, False]
    assert where[0, 0, 0, 0] == 5


def naive_average(x, kernel, stride, padding, count_include_pad, ceil_padding):
    top, bottom, left, right = padding
    cells = list(windows(x.shape, kernel, stride, padding))
    y = np.zeros((*x.shape[:2], *(1 + k for k in cells[-1][0])))
    for (i, j), rows, columns in cells:
        seen = x[:, :, rows, columns]
        count = seen.shape[2] * seen.shape[3]
        if count_include_pad:
            high = min(i * stride[0] + kernel[0], x.shape[2] + top + bottom - ceil_padding[0]) - i * stride[0]
            count = high * (min(j * stride[1] + kernel[1], x.shape[3] + left + right - ceil_padding[1]) - j * stride[1])
        y[:, :, i, j] = seen.sum((2, 3)) / count
    return y


@pytest.mark.parametrize("count_include_pad", [True, False])
@pytest.mark.parametrize("ceil", [False, True])
def test_avg_pool2d(case, count_include_pad, ceil):
    x, kernel, stride, (top, bottom, left, right) = case
    if ceil and (right == 0 or bottom == 0):
        pytest.skip("nothing that ceil_mode could have added")
    options = kernel, stride, (top, bottom, left, right), count_include_pad, (int(ceil), int(ceil))
    y = pool.avg_pool2d(x, *options)
    np.testing.assert_allclose(y, naive_average(x, *options), rtol=1e-10, atol=1e-10)
    dy = np.random.default_rng(4).standard_normal(y.shape)
    dx = pool.avg_pool2d_backward(dy, x.shape, *options)
    assert dx.shape == x.shape
    assert (dx * x).sum() == pytest.approx((dy * y).sum(), rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("out", [(1, 1), (2, 3), (7, 7), (9, 4)])
@pytest.mark.parametrize("shape", [(2, 3, 7, 7), (1, 2, 1, 1), (0, 2, 4, 4), (2, 2, 10, 9)])
def test_adaptive_avg_pool2d(shape, out):
    x = np.random.default_rng(5).standard_normal(shape)
    want = np.zeros((*shape[:2], *out))
    for i, j in np.ndindex(*out):
        rows = slice(i * shape[2] // out[0], -(-(i + 1) * shape[2] // out[0]))
        columns = slice(j * shape[3] // out[1], -(-(j + 1) * shape[3] // out[1]))
        want[:, :, i, j] = x[:, :, rows, columns].mean((2, 3))
    y = pool.adaptive_avg_pool2d(x, out)
    np.testing.assert_allclose(y, want, rtol=1e-10, atol=1e-10)
    dy = np.random.default_rng(6).standard_normal(y.shape)
    dx = pool.adaptive_avg_pool2d_backward(dy, shape)
    assert (dx * x).sum() == pytest.approx((dy * y).sum(), rel=1e-10, abs=1e-10)


def test_float32_and_views():
    x = np.random.default_rng(7).standard_normal((2, 6, 6, 4), np.float32).transpose(0, 3, 1, 2)
    wide = x.astype(np.float64)
    options = (3, 3), (2, 2), (1, 1, 1, 1)
    y, where = pool.max_pool2d(x, *options)
    assert y.dtype == pool.max_pool2d_backward(y, where, x.shape).dtype == np.float32
    np.testing.assert_array_equal(y, naive_max(x, *options)[0])
    for count in (True, False):
        y = pool.avg_pool2d(x, *options, count)
        assert y.dtype == pool.avg_pool2d_backward(y, x.shape, *options, count).dtype == np.float32
        np.testing.assert_allclose(y, naive_average(wide, *options, count, (0, 0)), atol=1e-6)
    y = pool.adaptive_avg_pool2d(x, (4, 4))
    assert y.dtype == pool.adaptive_avg_pool2d_backward(y, x.shape).dtype == np.float32
    np.testing.assert_allclose(y, pool.adaptive_avg_pool2d(wide, (4, 4)), atol=1e-6)


@pytest.mark.parametrize("count_include_pad", [True, False])
def test_pytorch(count_include_pad):
    torch = pytest.importorskip("torch")
    f = torch.nn.functional
    rng = np.random.default_rng(8)
    for size, kernel, stride, pad, ceil in [((9, 8), (3, 3), (2, 2), (1, 1), 0), ((8, 8), (3, 2), (2, 3), (1, 0), 1)]:
        x = rng.standard_normal((2, 3, *size))
        out = [(s + 2 * p - k + ceil * (t - 1)) // t + 1 for s, p, k, t in zip(size, pad, kernel, stride, strict=True)]
        extra = [
            max(0, (o - 1) * t + k - s - 2 * p) for o, t, k, s, p in zip(out, stride, kernel, size, pad, strict=True)
        ]
        padding = (pad[0], pad[0] + extra[0], pad[1], pad[1] + extra[1])
        tx = torch.tensor(x, requires_grad=True)
        want, place = f.max_pool2d(tx, kernel, stride, pad, ceil_mode=bool(ceil), return_indices=True)
        y, where = pool.max_pool2d(x, kernel, stride, padding)
        np.testing.assert_array_equal(y, want.detach().numpy())
        np.testing.assert_array_equal(where, place.numpy())
        want = f.avg_pool2d(tx, kernel, stride, pad, bool(ceil), count_include_pad)
        dy = rng.standard_normal(want.shape)
        want.backward(torch.tensor(dy))
        options = kernel, stride, padding, count_include_pad, tuple(extra)
        np.testing.assert_allclose(pool.avg_pool2d(x, *options), want.detach().numpy(), atol=1e-12)
        np.testing.assert_allclose(pool.avg_pool2d_backward(dy, x.shape, *options), tx.grad.numpy(), atol=1e-12)
        np.testing.assert_allclose(
            pool.adaptive_avg_pool2d(x, (5, 3)), f.adaptive_avg_pool2d(tx, (5, 3)).detach().numpy(), atol=1e-12
        )
