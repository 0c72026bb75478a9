"""lightnn/kernels/quantized/panel_llvm.py: every instruction gives the same integers, extremes included."""

import numpy as np
import pytest
from numba import njit

from lightnn.kernels.quantized import panel_llvm, quads, requantize

EDGES = [0, *(sign * (2**i + d) for i in range(31) for d in (-2, -1, 0, 1, 2) for sign in (1, -1)), -(2**31), 2**31 - 1]
EDGES = np.unique(np.clip(EDGES, -(2**31), 2**31 - 1)).astype(np.int32)


@njit
def run(path, vectors, left, right, at, y, y_at, o, count, out, channel):
    panel_llvm.panel(path, vectors, left, right, at, y, y_at, o, count, out, channel)


def numbers(rng, shape, low, high):
    """Random bytes, a fifth of them the extremes."""
    some = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.2, rng.choice([low, high], shape), some)


def outputs(b, m, zero=100, low=3, high=250):
    m0, n = requantize.fixed_point(m)
    return requantize.Output(b, m0, n, zero, low, high, 0, True)


@pytest.mark.parametrize("depth", [0, 1, 33])
@pytest.mark.parametrize("dtype", [np.int32, np.uint8])
def test_panel(path, depth, dtype, rng):
    """Rows and steps at any byte; a panel, channels and rows of y that start anywhere; every width and count."""
    most = path.vectors * path.lanes
    a = numbers(rng, (500,), 0, 255).astype(np.uint8)
    b = numbers(rng, (depth, most, 4), -128, 127).astype(np.int8)
    step, right = rng.integers(0, 240, depth), np.append(np.array([9, 9], np.int32), b.view(np.int32).reshape(-1))
    start = rng.integers(-90000, 90000, most + 3).astype(np.int32)
    out = outputs(start, 2.0 ** rng.uniform(-14, -9, most + 3))
    for vectors in range(1, path.vectors + 1):
        for count in (1, 2, 3, 8, 13, 24):
            row = rng.integers(0, 250, count)
            left = quads.Left(a, np.append(row, np.full(8, row[-1])), step)
            seen = a[row[:, None, None] + step[:, None] + np.arange(4)].astype(np.int64)
            width = vectors * path.lanes
            y = np.full(5 + count * (width + 2), 77, dtype)
            run(path, vectors, left, right, 2, y, 5, width + 2, count, out, 3)
            want = (np.einsum("rtk,twk->rw", seen, b[:, :width]) + start[3 : 3 + width]).astype(np.int32)
            if dtype == np.uint8:
                part = out._replace(b=np.zeros(width, np.int32), m0=out.m0[3 : 3 + width], n=out.n[3 : 3 + width])
                want = requantize.requantized(want, part)
            got = y[5:].reshape(count, -1)
            np.testing.assert_array_equal(got[:, :width], want)
            assert (got[:, width:] == 77).all() and (y[:5] == 77).all()


def bytes_of(path, b, m0, n):
    """What becomes of sums that are b alone, of any number of them."""
    lanes, y = path.lanes, np.empty(-(-len(b) // path.lanes) * path.lanes, np.uint8)
    b, m0, n = (np.append(part, np.full(len(y) - len(b), 2)).astype(np.int32) for part in (b, m0, n))
    out = requantize.Output(b, m0, n, 100, 0, 255, 0, True)
    left = quads.Left(np.zeros(4, np.uint8), np.zeros(8, np.int64), np.empty(0, np.int64))
    for i in range(0, len(y), lanes):
        run(path, 1, left, np.empty(0, np.int32), 0, y, i, lanes, 1, out, i)
    return y, requantize.requantized(b[None], out._replace(b=np.zeros_like(b)))[0]


def test_every_extreme_is_gemmlowps_integer(path):
    """The largest and smallest sums, powers of two and their neighbours, against M0 and n of every kind."""
    for m0 in (2**30, 2**30 + 1, 3 * 2**29, 2**31 - 1, 0):
        for n in (2, 3, 9, 22, 30, 31):
            y, want = bytes_of(path, EDGES, np.full(len(EDGES), m0), np.full(len(EDGES), n))
            np.testing.assert_array_equal(y, want)


def test_halves_round_as_gemmlowps_do(path, rng):
    """Sums whose product, or whose rounded product, ends in a half, and their neighbours, both signs."""
    k = rng.integers(-300, 300, 400)
    n = rng.integers(2, 20, 400)
    for m0, sums in ((2**30, 2 * (k << n) + (1 << n)), (2**30, k), (3 * 2**29, (k << n) * 4 // 3 + (1 << n) * 2 // 3)):
        for d in (-2, -1, 0, 1, 2):
            y, want = bytes_of(path, sums + d, np.full(400, m0), n)
            np.testing.assert_array_equal(y, want)


def test_the_largest_sum_fits(path):
    """66311 products of 255 and 127, and of 255 and -127."""
    depth, width = requantize.DEEPEST // 4, path.lanes * path.vectors
    a, b = np.full(4 * depth, 255, np.uint8), np.full(depth * width, 0x7F7F7F7F, np.int32)
    b.reshape(depth, -1)[:, 0] = np.full(4, -127, np.int8).view(np.int32)
    left, y = quads.Left(a, np.zeros(8, np.int64), 4 * np.arange(depth)), np.zeros((8, path.lanes), np.int32)
    out = outputs(np.zeros(path.lanes, np.int32), [0.1] * path.lanes)
    run(path, 1, left, b, 0, y.reshape(-1), 0, path.lanes, 8, out, 0)
    want = 4 * depth * 255 * 127
    assert (y[:, 0] == -want).all() and (y[:, 1:] == want).all()
