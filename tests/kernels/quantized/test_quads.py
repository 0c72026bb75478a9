"""lightnn/kernels/quantized/quads.py and weave.py: every instruction gives the same integers, extremes included."""

import numpy as np
import pytest
from numba import config, njit

from lightnn.kernels.quantized import quads
from lightnn.kernels.quantized.weave import weave4, weave4_seconds


@njit
def run(path, vectors, depth, left, right, at, c, c_stride):
    quads.tile(path, vectors, depth, left, right, at, c, c_stride)


@njit
def run_row(path, depth, left, right, at, c):
    quads.row1(path, depth, left, right, at, c, 0)
    quads.row4(path, depth, left, right, quads.At(at.a, at.row, at.b, at.c + path.lanes), c, 0)


@njit
def run_weave(to, to_at, source, starts, count):
    weave4(to, to_at, source, starts[0], starts[1], starts[2], starts[3], count)


@njit
def run_weave_seconds(to, to_at, source, starts, count):
    weave4_seconds(to, to_at, source, starts[0], starts[1], starts[2], starts[3], count)


def some_quads(rng, shape, signed):
    """Random bytes, a fifth of them the extremes."""
    low, high = (-128, 127) if signed else (0, 255)
    numbers = rng.integers(low, high + 1, (*shape, 4))
    numbers = np.where(rng.random(numbers.shape) < 0.2, rng.choice([low, high], numbers.shape), numbers)
    packed = numbers.astype(np.int8 if signed else np.uint8).view(np.int32 if signed else np.uint32)
    return packed.reshape(shape)


@pytest.mark.parametrize("depth", [0, 1, 5, 33])
@pytest.mark.parametrize("signed_a", [True, False], ids=["int8 rows", "uint8 rows"])
def test_tile(path, signed_a, depth, rng):
    for vectors in range(1, path.vectors + 1):
        width = vectors * path.lanes
        a, b = some_quads(rng, (path.rows, depth), signed_a), some_quads(rng, (depth, width), not signed_a)
        left = quads.Left(np.append(a[0, :0], [7, *a.reshape(-1)]).astype(a.dtype), np.arange(path.rows) * depth)
        right = quads.Right(np.append(b[:0, 0], [9, 9, *b.reshape(-1)]).astype(b.dtype), np.arange(depth) * width)
        c = np.full(3 + path.rows * (width + 2), -5, np.int32)
        run(path, vectors, depth, left, right, quads.At(1, 0, 2, 3), c, width + 2)
        got = c[3:].reshape(path.rows, -1)
        want = np.einsum("rtk,twk->rw", quads.numbers_of(a), quads.numbers_of(b))
        np.testing.assert_array_equal(got[:, :width], want)
        assert (got[:, width:] == -5).all() and (c[:3] == -5).all()


def test_the_largest_sum_fits(path):
    """66311 products of 255 and 127, and of 255 and -127."""
    depth = 66311 // 4
    a, b = np.full(depth, -1, np.int32).view(np.uint32), np.full(depth * path.lanes, 0x7F7F7F7F, np.int32)
    b.reshape(depth, -1)[:, 0] = np.full(4, -127, np.int8).view(np.int32)
    left, right = quads.Left(a, np.zeros(path.rows, np.int64)), quads.Right(b, np.arange(depth) * path.lanes)
    c = np.zeros(path.rows * path.lanes, np.int32)
    run(path, 1, depth, left, right, quads.At(0, 0, 0, 0), c, path.lanes)
    want = 4 * depth * 255 * 127
    assert (c.reshape(path.rows, -1)[:, 0] == -want).all() and (c.reshape(path.rows, -1)[:, 1:] == want).all()


def test_one_row_at_five_vectors_from_places_that_overlap(path, rng):
    depth, width = 7, 5 * path.lanes
    a, b = some_quads(rng, (depth,), True), some_quads(rng, (width + 40,), False)
    step = rng.integers(0, 40, depth)
    c = np.zeros(width, np.int32)
    run_row(path, depth, quads.Left(a, np.zeros(1, np.int64)), quads.Right(b, step), quads.At(0, 0, 0, 0), c)
    want = np.zeros(width)
    # the second run of `run_row` starts at the same place of b
    for t in range(depth):
        seen = quads.numbers_of(b[step[t] : step[t] + width]) @ quads.numbers_of(a[t : t + 1])[0]
        want[: path.lanes] += seen[: path.lanes]
        want[path.lanes :] += seen[: width - path.lanes]
    np.testing.assert_array_equal(c, want)


def test_the_best_path_comes_first_and_the_portable_one_is_always_there():
    names = [type(path).__name__ for path in quads.PATHS]
    assert names[-1] == "portable" and quads.BEST is quads.PATHS[0]
    assert len(names) == 1 or not config.DISABLE_JIT


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 50])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8], ids=lambda t: t.__name__)
@pytest.mark.parametrize(("weave", "step"), [(run_weave, 1), (run_weave_seconds, 2)], ids=["each", "seconds"])
def test_weave(weave, step, count, dtype, rng):
    source = rng.integers(0, 256, 300, np.uint8).view(dtype)
    to = np.full(count + 6, 77, np.uint32)
    starts = np.array([5, 190, 40, 40])
    weave(to, 3, source, starts, count)
    want = np.stack([source[s : s + step * count : step] for s in starts], 1).view(np.uint8)
    np.testing.assert_array_equal(to[3 : 3 + count].view(np.uint8).reshape(-1, 4), want)
    assert (to[:3] == 77).all() and (to[3 + count :] == 77).all()
