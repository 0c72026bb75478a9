"""lightnn/kernels/quantized/quads.py: every instruction gives the same integers, extremes included."""

import numpy as np
import pytest
from numba import config, njit

from lightnn.kernels.quantized import quads


@njit
def run(path, vectors, depth, left, right, at, c, c_stride):
    quads.tile(path, vectors, depth, left, right, at, c, c_stride)


@njit
def run_row(path, vectors, depth, left, right, at, c):
    quads.tile_row(path, vectors, depth, left, right, at, c)


def numbers(rng, shape, low, high):
    """Random bytes, a fifth of them the extremes."""
    some = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.2, rng.choice([low, high], shape), some)


@pytest.mark.parametrize("depth", [0, 1, 5, 33])
def test_tile(path, depth, rng):
    """Rows and steps at any byte; a panel and a tile that start anywhere."""
    a = numbers(rng, (500,), 0, 255).astype(np.uint8)
    b = numbers(rng, (depth, path.vectors * path.lanes, 4), -128, 127).astype(np.int8)
    row, step = rng.integers(0, 250, path.rows + 1), rng.integers(0, 240, depth)
    left, right = quads.Left(a, row, step), np.append(np.array([9, 9], np.int32), b.view(np.int32).reshape(-1))
    seen = a[row[1:, None, None] + step[:, None] + np.arange(4)].astype(np.int64)
    for vectors in range(1, path.vectors + 1):
        width = vectors * path.lanes
        c = np.full(3 + path.rows * (width + 2), -5, np.int32)
        run(path, vectors, depth, left, right, quads.At(1, 2, 3), c, width + 2)
        got, want = c[3:].reshape(path.rows, -1), np.einsum("rtk,twk->rw", seen, b[:, :width])
        np.testing.assert_array_equal(got[:, :width], want)
        assert (got[:, width:] == -5).all() and (c[:3] == -5).all()
        run_row(path, vectors, depth, left, right, quads.At(2, 2, 0), c)
        np.testing.assert_array_equal(c[:width], want[1])


def test_the_largest_sum_fits(path):
    """66311 products of 255 and 127, and of 255 and -127."""
    depth, width = 66311 // 4, path.lanes * path.vectors
    a, b = np.full(4 * depth, 255, np.uint8), np.full(depth * width, 0x7F7F7F7F, np.int32)
    b.reshape(depth, -1)[:, 0] = np.full(4, -127, np.int8).view(np.int32)
    left, c = (
        quads.Left(a, np.zeros(path.rows, np.int64), 4 * np.arange(depth)),
        np.zeros(path.rows * path.lanes, np.int32),
    )
    run(path, 1, depth, left, b, quads.At(0, 0, 0), c, path.lanes)
    want = 4 * depth * 255 * 127
    assert (c.reshape(path.rows, -1)[:, 0] == -want).all() and (c.reshape(path.rows, -1)[:, 1:] == want).all()


def test_the_best_path_comes_first_and_the_portable_one_is_always_there():
    names = [type(path).__name__ for path in quads.PATHS]
    assert names[-1] == "portable" and quads.BEST is quads.PATHS[0]
    assert len(names) == 1 or not config.DISABLE_JIT
