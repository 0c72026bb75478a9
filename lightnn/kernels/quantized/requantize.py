"""From a 32-bit sum back to 8 bits with integers alone: gemmlowp's fixed point, bit for bit.

What it computes. A real number is r = S (q - Z), with a scale S and a zero point Z (Jacob et al. 2018,
arXiv:1712.05877, equation 1). A layer's sum over x (S1, Z1) and w (S2, 0) becomes y (S3, Z3) by their equation 4:

    y = clamp(Z3 + M (b + sum (x - Z1) w), low, high)        M = S1 S2 / S3 = 2^-n M0,  M0 in [1/2, 1) as int32 M0 2^31

    high_mul(a, b)  = a b / 2^31, to the nearest          gemmlowp's SaturatingRoundingDoublingHighMul
    divide_by_power = x / 2^n, to the nearest             gemmlowp's RoundingDivideByPOT: a half away from 0

    M x             = divide_by_power(high_mul(x, M0), n)    two roundings; for M >= 1, n < 0: high_mul(2^-n x, M0)

Definitions: Python's ints, to the same integers as gemmlowp's fixedpoint.h. Kernel: `requantize_block`, for sums in
memory; a convolution's become bytes in registers, by the same instructions. A fused ReLU is `low` = Z3.

Why it is fast. gemmlowp rounds a b / 2^31 with a nudge that depends on the sign and a division that truncates. Both
branches are the same floor: for v < 0 the ceiling of (v + 1 - 2^30) / 2^31 is floor((v + 2^30) / 2^31). So it is a
multiplication, an addition and a shift, in vectors (requantize_llvm.py), without a branch. Only a = b = -2^31
saturates, and M0 >= 0.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from lightnn.exercise import exercise
from lightnn.kernels.quantized import requantize_llvm
from lightnn.kernels.quantized.requantize_llvm import LEAST

LOWEST = -(2**31)
HIGHEST = 2**31 - 1
DEEPEST = HIGHEST // (255 * 127)  # a sum of more products of uint8 and int8 (without -128) may not fit: 66311


class Output(NamedTuple):
    """What becomes of the sums of channel o: y = clamp(zero + 2^-n[o] m0[o] / 2^31 (sum + b[o]), low, high)."""

    b: np.ndarray  # int32: the bias less Z1 sum w
    m0: np.ndarray  # int32, of [1/2, 1) or 0
    n: np.ndarray  # int32, -30 .. 31
    zero: int
    low: int
    high: int
    x_zero: int  # Z1, what a border of x is filled with
    is_small: bool  # every M < 1/4: n >= LEAST, as the kernels in vectors want it


def output(w, b, m, x_zero, zero=0, low=0, high=255):
    """Output for the weights w (O, ...) int8, the bias b (O,) int32 or None, M (O,) or a number, and Z1 `x_zero`.

    ValueError unless every sum fits 32 bits, whatever x is.
    """
    flat = w.reshape(len(w), math.prod(w.shape[1:])).astype(np.int64)
    b = np.zeros(len(w), np.int64) if b is None else b.astype(np.int64)
    most = np.abs(flat).sum(1) * 255 + np.abs(b)
    if most.max(initial=0) > HIGHEST:
        raise ValueError(f"sums of int8 products: want at most {HIGHEST}, got up to {most.max()}")
    b = b - x_zero * flat.sum(1)
    m0, n = fixed_point(np.broadcast_to(np.asarray(m, np.float64), len(w)))
    n = np.where(m0 == 0, LEAST, n).astype(np.int32)  # 0 x is 0, whatever n is
    bounds = int(zero), int(low), int(high), int(x_zero)
    return Output(b.astype(np.int32), m0, n, *bounds, bool((n >= LEAST).all()))


@exercise("08.5")
def fixed_point(m):
    """(m0, n), int32 arrays of m's shape: numbers m as fixed point,

        m = 2^-n m0 / 2^31,    m0 / 2^31 in [1/2, 1)

    m0 is rounded to the nearest int, a half up. Where that gives 2^31, take m0 = 2^30 and an n that is less by 1. Both
    are 0 where m is 0 or n would be more than 31. m: a number, a list or an array, taken as float64. ValueError unless
    0 <= m < 2^30; NaN is not.
    """
    m = np.asarray(m, np.float64)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError(f"fixed_point: want 0 <= M < 2^30; got {m[~((m >= 0) & (m < 2**30))].flat[0]}")
    part, exponent = np.frexp(m)
    m0 = np.floor(part * 2.0**31 + 0.5).astype(np.int64)
    whole = m0 == 2**31
    m0, n = np.where(whole, 2**30, m0), np.where(whole, -exponent - 1, -exponent)
    small = n > 31
    return np.where(small, 0, m0).astype(np.int32), np.where(small, 0, n).astype(np.int32)


# ---- definitions ----


@exercise("08.6")
def high_mul(a, b):
    """a b / 2^31 to the nearest int, a half up (gemmlowp's SaturatingRoundingDoublingHighMul):

        floor((a b + 2^30) / 2^31)

    Of two ints from LOWEST to HIGHEST, -2^31 to 2^31 - 1. They may be NumPy's int32, whose product would overflow. Only
    for a = b = LOWEST the result is one too large for 32 bits: then it is HIGHEST.
    """
    a, b = int(a), int(b)
    return HIGHEST if a == b == LOWEST else (a * b + 2**30) >> 31


@exercise("08.7")
def divide_by_power(x, n):
    """x / 2^n to the nearest int, a half away from 0 (gemmlowp's RoundingDivideByPOT):

        floor(x / 2^n) + 1   if the remainder x - floor(x / 2^n) 2^n is large
        floor(x / 2^n)       else

    Large is more than half of 2^n, and for x >= 0 also exactly half of it. x and n >= 0 are ints, Python's of any size
    or NumPy's int32; a float would hold only 53 bits of x. For n = 0 the result is x.
    """
    x, mask = int(x), (1 << int(n)) - 1
    return (x >> int(n)) + ((x & mask) > (mask >> 1) + (x < 0))


def multiply(x, m0, n):
    """M x of one int32: TFLite's MultiplyByQuantizedMultiplier, but that a large x saturates when M >= 1."""
    left = max(0, -int(n))
    return divide_by_power(high_mul(min(max(int(x) << left, LOWEST), HIGHEST), m0), max(0, int(n)))


def requantized(sums, out):
    """y uint8, the definition of `requantize`: sums (..., O) int32, number by number."""
    y = np.empty(sums.shape, np.uint8)
    for place in np.ndindex(*sums.shape):
        o = place[-1]
        moved = multiply(int(sums[place]) + int(out.b[o]), out.m0[o], out.n[o])
        y[place] = min(max(out.zero + moved, out.low), out.high)
    return y


# ---- kernels ----


def _plain_block(y, at, o, sums, width, rows, count, b, m0, n, c, zero, low, high):
    b, m0, n = (values[c : c + count].astype(np.int64) for values in (b, m0, n))
    for r in range(rows):
        x = sums[r * width : r * width + count] + b
        y[at + r * o : at + r * o + count] = np.clip(zero + scaled(x, m0, n), low, high)


_block = _plain_block if numba.config.DISABLE_JIT else requantize_llvm.block


@numba.njit(cache=True, nogil=True)
def scaled(x, m0, n):
    """M x for n >= 0, an int64 within int32: m0 an int64, x and n int64."""
    moved = (x * m0 + (1 << 30)) >> 31
    mask = (1 << n) - 1
    return (moved >> n) + ((moved & mask) > (mask >> 1) + (moved < 0))


@numba.njit(cache=True, nogil=True)
def saturated(x, left):
    """x 2^left, within int32."""
    return min(max(x << left, LOWEST), HIGHEST)


@numba.njit(cache=True, nogil=True)
def requantize_block(y, at, o, sums, width, rows, count, out, channel):
    """y[at + r*o + i] = sums[r*width + i] of channel `channel` + i, as uint8, for r < rows and i < count."""
    if out.is_small:
        _block(y, at, o, sums, width, rows, count, out.b, out.m0, out.n, channel, out.zero, out.low, out.high)
        return
    for r in range(rows):
        for i in range(count):
            n, value = np.int64(out.n[channel + i]), np.int64(sums[r * width + i]) + out.b[channel + i]
            value = scaled(saturated(value, max(-n, 0)), np.int64(out.m0[channel + i]), max(n, 0))
            y[at + r * o + i] = min(max(out.zero + value, out.low), out.high)


def requantize(sums, out):
    """y uint8 (..., O), of sums int32 (..., O)."""
    y = np.empty(sums.shape, np.uint8)
    if y.size:
        o = sums.shape[-1]
        requantize_block(y.reshape(-1), 0, o, np.ascontiguousarray(sums).reshape(-1), o, y.size // o, o, out, 0)
    return y
