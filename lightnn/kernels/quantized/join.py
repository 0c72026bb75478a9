"""Addition and concatenation of bytes whose scales differ, with integers alone.

What it computes, with r = S (q - Z) for each operand and for y (S3, Z3):

    add      y = clamp(Z3 + (2s / (2^20 S3)) (a' + b'))       s = max(S1, S2)
             a' = (S1 / 2s) ((a - Z1) 2^20),  b' = (S2 / 2s) ((b - Z2) 2^20)
    rescale  y = clamp(Z3 + (S1 / S3) (x - Z1))               to the nearest, a half away from 0
    concat   the operands, each rescaled to S3 and Z3, one after the other along the channels, the last axis

`add` is TFLite's reference: 20 bits are put in front so that both operands keep them when they are brought to one
scale, and each of the three products is requantize.py's fixed point, so it is bit for bit what a phone computes.
`rescale` is rounded once, as in TFLite's concatenation, which takes S1 / S3 in float32 and not in fixed point.

How memory is walked. Straight through, once. A rescaled byte has 256 values: they are computed once, and looked up.

Why it is fast. `add` reads two bytes and writes one, with three multiplications in vectors. Arithmetic intensity 3
operations a byte: near the speed of memory.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.quantized.requantize import divide_by_power, fixed_point, multiply, scaled

SHIFT = 20  # bits put in front of a sum


class Addition(NamedTuple):
    """What `add` does, of a, b and their sum."""

    m0: np.ndarray  # int64, three
    n: np.ndarray
    zero: np.ndarray  # Z1, Z2, Z3
    low: int
    high: int


def addition(scales, zeros, low=0, high=255):
    """Addition for the scales (S1, S2, S3) and zero points of a, b and y.

    ValueError if S3 is so small that every sum saturates."""
    s1, s2, s3 = map(float, scales)
    twice = 2 * max(s1, s2)
    m0, n = fixed_point([s1 / twice, s2 / twice, twice / (2.0**SHIFT * s3)])
    if (n < 0).any():
        raise ValueError(f"addition: want S3 > {twice} / 2^{SHIFT}; got {s3}")
    return Addition(m0.astype(np.int64), n.astype(np.int64), np.array(zeros, np.int64), int(low), int(high))


def added(a, b, how):
    """y uint8, the definition of `add`: number by number."""
    y = np.empty(a.shape, np.uint8)
    for place in np.ndindex(*a.shape):
        raised = [(int(q[place]) - z) << SHIFT for q, z in zip((a, b), how.zero)]
        total = sum(multiply(q, m0, n) for q, m0, n in zip(raised, how.m0, how.n))  # of the first two
        y[place] = min(max(multiply(total, how.m0[2], how.n[2]) + how.zero[2], how.low), how.high)
    return y


def add(a, b, how):
    """y uint8, of a and b uint8 of one shape."""
    y = np.empty(a.shape, np.uint8)
    a, b = (np.ascontiguousarray(q).reshape(-1) for q in (a, b))
    run(_add, _add_parallel, (a, b, y.reshape(-1), how), y.size, y.size)
    return y


def table(scale, zero, y_scale, y_zero, low=0, high=255):
    """What `rescale` makes of the bytes 0 .. 255, uint8 (256,)."""
    m0, n = fixed_point(scale / y_scale)
    moved = np.array([divide_by_power((q - zero) * int(m0), 31 + int(n)) for q in range(256)])
    return np.clip(moved + y_zero, low, high).astype(np.uint8)


def concat(arrays, tables):
    """y (..., C1 + C2 + ...) uint8 of arrays (..., Ck) uint8; a table each, or None to copy."""
    channels = [a.shape[-1] for a in arrays]
    y, first = np.empty((*arrays[0].shape[:-1], sum(channels)), np.uint8), 0
    for a, c, values in zip(arrays, channels, tables, strict=True):
        if values is None:
            y[..., first : first + c] = a
        elif a.size:
            _look_up(y.reshape(-1, sum(channels)), first, np.ascontiguousarray(a).reshape(-1, c), values)
        first += c
    return y


@numba.njit(cache=True, nogil=True)
def _look_up(y, first, x, values):
    for i in range(len(x)):
        for j in range(x.shape[1]):
            y[i, first + j] = values[x[i, j]]


@numba.njit(cache=True, nogil=True)
def _add(a, b, y, how, first, last):
    for i in range(first, last):
        left = scaled((np.int64(a[i]) - how.zero[0]) << SHIFT, how.m0[0], how.n[0])
        right = scaled((np.int64(b[i]) - how.zero[1]) << SHIFT, how.m0[1], how.n[1])
        y[i] = min(max(scaled(left + right, how.m0[2], how.n[2]) + how.zero[2], how.low), how.high)


@parallel_njit
def _add_parallel(a, b, y, how, pieces, parts):
    for part in numba.prange(parts):
        _add(a, b, y, how, part * pieces // parts, (part + 1) * pieces // parts)
