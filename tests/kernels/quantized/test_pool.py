"""lightnn/kernels/quantized/pool.py against the definition by loops, number by number."""

import numpy as np
import pytest
from numba import config

from lightnn.kernels.quantized import pool

# n, c, height, width, kernel, stride, padding (top, bottom, left, right)
CASES = {
    "2x2": (2, 3, 8, 6, (2, 2), (2, 2), (0, 0, 0, 0)),
    "3x3 stride 2": (2, 3, 9, 8, (3, 3), (2, 2), (1, 1, 1, 1)),
    "3x3 stride 1": (1, 2, 7, 70, (3, 3), (1, 1), (1, 1, 1, 1)),
    "2x3, asymmetric": (1, 2, 7, 9, (2, 3), (3, 1), (1, 0, 0, 2)),
    "stride over kernel": (1, 2, 11, 9, (2, 1), (3, 4), (0, 0, 0, 0)),
    "whole image": (2, 4, 7, 7, (7, 7), (1, 1), (0, 0, 0, 0)),
    "padding over kernel": (1, 5, 2, 3, (2, 2), (1, 2), (3, 2, 3, 3)),
    "70 channels": (2, 70, 6, 5, (3, 2), (2, 1), (1, 1, 0, 1)),
    "empty": (0, 4, 7, 7, (2, 2), (2, 2), (0, 0, 0, 0)),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request, rng):
    n, c, height, width, *options = request.param
    x = rng.integers(0, 256, (n, height, width, c)).astype(np.uint8)
    x[..., :1] |= 250  # near the top
    return x, options


def by_loops(x, kernel, stride, padding, reduce):
    top, bottom, left, right = padding
    ho = (x.shape[1] + top + bottom - kernel[0]) // stride[0] + 1
    wo = (x.shape[2] + left + right - kernel[1]) // stride[1] + 1
    y = np.zeros((len(x), ho, wo, x.shape[3]), int)
    for n, i, j, c in np.ndindex(*y.shape):
        h, w = i * stride[0] - top, j * stride[1] - left
        y[n, i, j, c] = reduce(x[n, max(h, 0) : max(h + kernel[0], 0), max(w, 0) : max(w + kernel[1], 0), c])
    return y


def average(seen):
    """TFLite's: rounded to the nearest, a half up."""
    return (int(seen.sum(dtype=int)) + seen.size // 2) // max(1, seen.size)


def test_max(case, threads):
    x, options = case
    y = pool.max_pool2d(x, *options)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, by_loops(x, *options, lambda seen: seen.max(initial=0)))


def test_average(case, threads):
    x, options = case
    y = pool.avg_pool2d(x, *options)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, by_loops(x, *options, average))


@pytest.mark.parametrize("out_shape", [(1, 1), (3, 2), (7, 9)], ids=str)
def test_adaptive(out_shape, rng, threads):
    x = rng.integers(0, 256, (2, 7, 9, 3)).astype(np.uint8)
    y = pool.adaptive_avg_pool2d(x[:, :, ::-1], out_shape)
    for n, i, j, c in np.ndindex(*y.shape):
        rows = slice(i * 7 // out_shape[0], -(-(i + 1) * 7 // out_shape[0]))
        columns = slice(j * 9 // out_shape[1], -(-(j + 1) * 9 // out_shape[1]))
        assert y[n, i, j, c] == average(x[n, :, ::-1, c][rows, columns])


def test_a_half_rounds_up():
    x = np.array([[[[0], [1]], [[0], [1]]]], np.uint8)
    assert pool.avg_pool2d(x, (2, 2), (2, 2), (0, 0, 0, 0)).item() == 1


def test_every_sum_of_every_small_window():
    """Each sum that `count` bytes can have, for all counts up to 50."""
    for count in range(1, 5 if config.DISABLE_JIT else 51):
        total = np.arange(255 * count + 1)
        each = np.clip(total[:, None] - 255 * np.arange(count), 0, 255).astype(np.uint8)
        y = pool.adaptive_avg_pool2d(each[:, :, None, None], (1, 1)).reshape(-1)
        np.testing.assert_array_equal(y, (total + count // 2) // count)
