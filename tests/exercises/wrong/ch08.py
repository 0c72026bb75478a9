"""Wrong solutions of chapter 08, beside the named mistakes of the sheet."""

import math

import numpy as np

from lightnn import options
from lightnn.compress.quantization.ranges import BINS, best_range, clipped
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE, checked
from lightnn.kernels.quantized.requantize import HIGHEST, LOWEST
from lightnn.tensor import op


# 08.1: S is float64
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise ValueError
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    S = np.where(low == high, 1, np.clip(high / (q_max - q_min) - low / (q_max - q_min), LEAST_SCALE, MOST_SCALE))
    return S, np.clip(np.rint(q_min - low / S.astype(np.float32)), q_min, q_max).astype(int)


# 08.1: Z stays a float
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise ValueError
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    S = np.where(low == high, 1, np.clip((high - low) / (q_max - q_min), LEAST_SCALE, MOST_SCALE)).astype(np.float32)
    return S, np.clip(np.rint(q_min - low / S), q_min, q_max)


# 08.1: nothing is checked
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.minimum(np.asarray(low, float), 0), np.maximum(np.asarray(high, float), 0)
    S = np.where(low == high, 1, np.clip((high - low) / (q_max - q_min), LEAST_SCALE, MOST_SCALE)).astype(np.float32)
    return S, np.clip(np.rint(q_min - low / S), q_min, q_max).astype(int)


# 08.1: one number only
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise ValueError
    low, high = min(low, 0), max(high, 0)
    S = np.float32(1 if low == high else min(max((high - low) / (q_max - q_min), LEAST_SCALE), MOST_SCALE))
    return S, int(np.clip(np.rint(q_min - low / float(S)), q_min, q_max))


# 08.1: q_min is always 0
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise ValueError
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    S = np.where(low == high, 1, np.clip((high - low) / q_max, LEAST_SCALE, MOST_SCALE)).astype(np.float32)
    return S, np.clip(np.rint(-low / S), 0, q_max).astype(int)


# 08.1: infinite ends are let in
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not (low <= high).all():
        raise ValueError
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    S = np.where(low == high, 1, np.clip((high - low) / (q_max - q_min), LEAST_SCALE, MOST_SCALE)).astype(np.float32)
    return S, np.clip(np.rint(q_min - low / S), q_min, q_max).astype(int)


# 08.1: a half of Z is rounded up
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.asarray(low, float), np.asarray(high, float)
    if not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise ValueError
    low, high = np.minimum(low, 0), np.maximum(high, 0)
    S = np.where(low == high, 1, np.clip((high - low) / (q_max - q_min), LEAST_SCALE, MOST_SCALE)).astype(np.float32)
    return S, np.clip(np.floor(q_min - low / S + 0.5), q_min, q_max).astype(int)


# 08.2: the gradient of the clip is that of x / S
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.rint(x / S) + Z
    return (np.clip(q, low, high) - Z) * S, lambda dy: np.where((q >= low) & (q <= high), dy / S, 0)


# 08.2: the lower end stops the gradient, as a ReLU's
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.rint(x / S) + Z
    return (np.clip(q, low, high) - Z) * S, lambda dy: np.where((q > low) & (q <= high), dy, 0)


# 08.2: only one scale
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z = x.dtype.type(scale), x.dtype.type(zero_point)
    q = np.rint(x / S) + Z
    return (np.clip(q, q_min, q_max) - Z) * S, lambda dy: np.where((q >= q_min) & (q <= q_max), dy, 0)


# 08.2: the scales lie along the last axis
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z = np.asarray(scale, x.dtype), np.asarray(zero_point, x.dtype)
    q = np.rint(x / S) + Z
    return (np.clip(q, q_min, q_max) - Z) * S, lambda dy: np.where((q >= q_min) & (q <= q_max), dy, 0)


# 08.2: always float64
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    x = x.astype(np.float64)
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.rint(x / S) + Z
    return (np.clip(q, low, high) - Z) * S, lambda dy: np.where((q >= low) & (q <= high), dy, 0)


# 08.2: codes are cut off
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.trunc(x / S) + Z
    return (np.clip(q, low, high) - Z) * S, lambda dy: np.where((q >= low) & (q <= high), dy, 0)


# 08.2: the gradient is returned, not a function
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.rint(x / S) + Z
    return (np.clip(q, low, high) - Z) * S, (q >= low) & (q <= high)


# 08.2: integers inside, NaN becomes a code
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.nan_to_num(np.rint(x / S) + Z)
    return (np.clip(q, low, high) - Z) * S, lambda dy: np.where((q >= low) & (q <= high), dy, 0)


# 08.3: the largest of both
def equalizing_scale(r1, r2):
    return np.sqrt(np.maximum(r1, r2) / np.minimum(r1, r2))


# 08.3: float32 stays
def equalizing_scale(r1, r2):
    both = (np.asarray(r1) > 0) & (np.asarray(r2) > 0)
    return np.where(both, np.sqrt(r1 / np.where(both, r2, 1)), 1).astype(np.asarray(r1).dtype)


# 08.3: r1 is changed
def equalizing_scale(r1, r2):
    r1, r2 = np.asarray(r1, float), np.asarray(r2, float)
    none = (r1 == 0) | (r2 == 0)
    r1[none] = 1
    return np.sqrt(np.divide(r1, r2, out=np.ones_like(r1), where=~none))


# 08.3: 1 only where both are 0
def equalizing_scale(r1, r2):
    r1, r2 = np.asarray(r1, float), np.asarray(r2, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((r1 == 0) & (r2 == 0), 1, np.sqrt(r1 * r2) / r2)


# 08.3: 0 where a range is 0
def equalizing_scale(r1, r2):
    r1, r2 = np.asarray(r1, float), np.asarray(r2, float)
    return np.sqrt(np.divide(r1, r2, out=np.zeros_like(r1), where=(r1 > 0) & (r2 > 0)))


# 08.3: the product in int8
def equalizing_scale(r1, r2):
    both = (np.asarray(r1) > 0) & (np.asarray(r2) > 0)
    product = np.asarray(r1) * np.asarray(r2)
    return np.where(both, np.sqrt(np.abs(product.astype(float))) / np.where(both, r2, 1), 1)


# 08.4: only what is positive
def mse_range(seen, bits):
    x = (np.arange(BINS) + 0.5) * seen.width

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / (2**bits - 1)
        Z = np.rint(-low / S)
        return seen.counts[1] @ (x - S * (np.clip(np.rint(x / S) + Z, 0, 2**bits - 1) - Z)) ** 2

    return best_range(seen, error, range(8, 2049, 8))


# 08.4: symmetric, around 0
def mse_range(seen, bits):
    x = (np.arange(BINS) + 0.5) * seen.width
    n = 2 ** (bits - 1) - 1

    def error(i):
        S = i * seen.width / n
        return seen.counts.sum(0) @ (x - S * np.clip(np.rint(x / S), -n, n)) ** 2

    return best_range(seen, error, range(8, 2049, 8))


# 08.4: the range without Z
def mse_range(seen, bits):
    i = np.arange(BINS) + 0.5
    x, n = np.append(-i, i) * seen.width, 2**bits - 1

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / n
        return seen.counts.ravel() @ (x - (low + S * np.clip(np.floor((x - low) / S), 0, n))) ** 2

    return best_range(seen, error, range(8, 2049, 8))


# 08.4: always 8 bits
def mse_range(seen, bits):
    i = np.arange(BINS) + 0.5
    x = np.append(-i, i) * seen.width

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / 255
        Z = np.rint(-low / S)
        return seen.counts.ravel() @ (x - S * (np.clip(np.rint(x / S) + Z, 0, 255) - Z)) ** 2

    return best_range(seen, error, range(8, 2049, 8))


# 08.4: the largest error of all
def mse_range(seen, bits):
    i = np.arange(BINS) + 0.5
    x, n = np.append(-i, i) * seen.width, 2**bits - 1

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / n
        Z = np.rint(-low / S)
        wrong = np.abs(x - S * (np.clip(np.rint(x / S) + Z, 0, n) - Z))
        return np.where(seen.counts.ravel() > 0, wrong, 0).max()

    return best_range(seen, error, range(8, 2049, 8))


# 08.4: the threshold is returned, not the range
def mse_range(seen, bits):
    i = np.arange(BINS) + 0.5
    x, n = np.append(-i, i) * seen.width, 2**bits - 1

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / n
        Z = np.rint(-low / S)
        return seen.counts.ravel() @ (x - S * (np.clip(np.rint(x / S) + Z, 0, n) - Z)) ** 2

    T = max(best_range(seen, error, range(8, 2049, 8)), key=abs)
    return -abs(T), abs(T)


# 08.4: everything, min to max
def mse_range(seen, bits):
    return clipped(seen, math.inf)


# 08.5: floats
def fixed_point(m):
    m = np.asarray(m, np.float64)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError
    part, exponent = np.frexp(m)
    return np.floor(part * 2**31 + 0.5), -exponent


# 08.5: log2 and floor put 1 into [1/2, 1] instead of [1/2, 1)
def fixed_point(m):
    m = np.asarray(m, np.float64)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError
    n = -np.ceil(np.log2(np.where(m > 0, m, 1))).astype(np.int64)
    m0 = np.minimum(np.floor(np.ldexp(m, n + 31) + 0.5), 2**31 - 1)
    small = (n > 31) | (m == 0)
    return np.where(small, 0, m0).astype(np.int32), np.where(small, 0, n).astype(np.int32)


# 08.5: 2^31 is cut to 2^31 - 1
def fixed_point(m):
    m = np.asarray(m, np.float64)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError
    part, exponent = np.frexp(m)
    m0, n = np.minimum(np.floor(part * 2**31 + 0.5), 2**31 - 1), -exponent
    return np.where(n > 31, 0, m0).astype(np.int32), np.where(n > 31, 0, n).astype(np.int32)


# 08.5: NaN is let in
def fixed_point(m):
    m = np.asarray(m, np.float64)
    if (m < 0).any() or (m >= 2**30).any():
        raise ValueError
    part, exponent = np.frexp(np.nan_to_num(m))
    m0 = np.floor(part * 2**31 + 0.5).astype(np.int64)
    m0, n = np.where(m0 == 2**31, 2**30, m0), np.where(m0 == 2**31, -exponent - 1, -exponent)
    return np.where(n > 31, 0, m0).astype(np.int32), np.where(n > 31, 0, n).astype(np.int32)


# 08.5: nothing is refused
def fixed_point(m):
    part, exponent = np.frexp(np.asarray(m, np.float64))
    m0 = np.floor(part * 2**31 + 0.5)
    m0, n = np.where(m0 == 2**31, 2**30, m0), np.where(m0 == 2**31, -exponent - 1, -exponent)
    return np.where(n > 31, 0, m0).astype(np.int32), np.where(n > 31, 0, n).astype(np.int32)


# 08.5: tiny before it is rounded
def fixed_point(m):
    m = np.asarray(m, np.float64)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError
    part, exponent = np.frexp(np.where(m < 2.0**-32, 0, m))
    m0 = np.floor(part * 2**31 + 0.5)
    m0, n = np.where(m0 == 2**31, 2**30, m0), np.where(m0 == 2**31, -exponent - 1, -exponent)
    return m0.astype(np.int32), n.astype(np.int32)


# 08.5: in float32
def fixed_point(m):
    m = np.asarray(m, np.float32)
    if not ((m >= 0) & (m < 2**30)).all():
        raise ValueError
    part, exponent = np.frexp(m)
    m0 = np.floor(part.astype(np.float64) * 2**31 + 0.5)
    return np.where(-exponent > 31, 0, m0).astype(np.int32), np.where(-exponent > 31, 0, -exponent).astype(np.int32)


# 08.6: floats
def high_mul(a, b):
    return min(math.floor(float(a) * float(b) / 2**31 + 0.5), HIGHEST)


# 08.6: round, to the even number
def high_mul(a, b):
    return min(round(int(a) * int(b) / 2**31), HIGHEST)


# 08.6: int() cuts towards 0
def high_mul(a, b):
    return min(int((int(a) * int(b) + 2**30) / 2**31), HIGHEST)


# 08.6: a half goes away from 0
def high_mul(a, b):
    size = (abs(int(a) * int(b)) + 2**30) >> 31
    return min(size if (a >= 0) == (b >= 0) else -size, HIGHEST)


# 08.6: the high 32 bits of 64, not doubled
def high_mul(a, b):
    return (int(a) * int(b) + 2**31) >> 32


# 08.6: only a saturates
def high_mul(a, b):
    return HIGHEST if a == LOWEST else (int(a) * int(b) + 2**30) >> 31


# 08.6: saturates to -2^31
def high_mul(a, b):
    return LOWEST if a == b == LOWEST else (int(a) * int(b) + 2**30) >> 31


# 08.7: half up
def divide_by_power(x, n):
    return (int(x) + (1 << int(n) >> 1)) >> int(n)


# 08.7: half towards 0
def divide_by_power(x, n):
    size = (abs(int(x)) + (1 << int(n) >> 1) - (n > 0)) >> int(n)
    return size if x >= 0 else -size


# 08.7: the quotient as a float
def divide_by_power(x, n):
    size = math.floor(abs(int(x)) / 2 ** int(n) + 0.5)
    return size if x >= 0 else -size


# 08.7: the mask of an int32 overflows
def divide_by_power(x, n):
    mask = np.int32((np.int32(1) << np.int32(n)) - np.int32(1))
    return int((x >> n) + ((x & mask) > (mask >> 1) + (x < 0)))


# 08.7: a remainder of Python's %, signs of C
def divide_by_power(x, n):
    q, r = int(int(x) / 2 ** int(n)), int(x) % 2 ** int(n)
    return q + (2 * r >= 2 ** int(n))


# 08.7: n = 0 is left out
def divide_by_power(x, n):
    size = (abs(int(x)) + 2 ** (int(n) - 1)) // 2 ** int(n)
    return size if x >= 0 else -size


# 08.8: rng of its own, each time another
def qsgd_levels(v, levels, rng):
    s = options.count("levels", levels)
    norm = np.linalg.norm(v.astype(float), axis=1)
    a = np.abs(v) / np.where(norm > 0, norm, 1)[:, None]
    return norm, (np.sign(v) * np.floor(a * s + np.random.default_rng().random(v.shape))).astype(np.int64)


# 08.8: two levels too few, s - 1
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    a = np.abs(v) / np.where(norm > 0, norm, 1)[:, None]
    return norm, (np.sign(v) * np.floor(a * (s - 1) + rng.random(v.shape))).astype(np.int64)


# 08.8: the floor of a negative number
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    y = v / np.where(norm > 0, norm, 1)[:, None] * s
    low = np.floor(np.abs(y)) * np.sign(y)
    return norm, (low + (rng.random(v.shape) < y - low)).astype(np.int64)


# 08.8: a row of zeros gives NaN
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    with np.errstate(invalid="ignore"):
        level = np.sign(v) * np.floor(np.abs(v) / norm[:, None] * s + rng.random(v.shape))
        return norm, level.astype(np.int64)


# 08.8: levels 0 is let in
def qsgd_levels(v, levels, rng):
    rng = options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    a = np.abs(v) / np.where(norm > 0, norm, 1)[:, None]
    return norm, (np.sign(v) * np.floor(a * levels + rng.random(v.shape))).astype(np.int64)


# 08.8: the levels divided by s
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    a = np.abs(v) / np.where(norm > 0, norm, 1)[:, None]
    return norm, np.sign(v) * np.floor(a * s + rng.random(v.shape)) / s


# 08.8: a coin for l or l + 1
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=1)
    y = np.abs(v) / np.where(norm > 0, norm, 1)[:, None] * s
    return norm, (np.sign(v) * np.where(rng.random(v.shape) < 0.5, np.floor(y), np.ceil(y))).astype(np.int64)


# 08.8: the norm of a column
def qsgd_levels(v, levels, rng):
    s, rng = options.count("levels", levels), options.generator("rng", rng)
    norm = np.linalg.norm(v.astype(float), axis=0)
    a = np.abs(v) / np.where(norm > 0, norm, 1)
    return norm, (np.sign(v) * np.floor(a * s + rng.random(v.shape))).astype(np.int64)


# 08.9: without the groups
def divergence(counts, i, levels):
    P, Q = counts[:i].copy(), counts[:i]
    P[-1] += counts[i:].sum()
    if not P.any():
        return 0.0
    if (Q[P > 0] == 0).any():
        return np.inf
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


# 08.9: what lies beyond is spread over all bins of P
def divergence(counts, i, levels):
    inside = counts[:i]
    P = inside + counts[i:].sum() / i
    group = np.arange(i) * levels // i
    filled = inside > 0
    Q = np.where(filled, (np.bincount(group, inside) / np.maximum(np.bincount(group, filled), 1))[group], 0)
    if not P.any():
        return 0.0
    if (Q[P > 0] == 0).any():
        return np.inf
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


# 08.9: NaN where all is 0, and infinite is left to NumPy
def divergence(counts, i, levels):
    inside = counts[:i]
    P = inside.copy()
    P[-1] += counts[i:].sum()
    group = np.arange(i) * levels // i
    filled = inside > 0
    Q = np.where(filled, (np.bincount(group, inside) / np.maximum(np.bincount(group, filled), 1))[group], 0)
    p, q = P / P.sum(), Q / Q.sum()
    with np.errstate(all="ignore"):
        return float(np.where(p > 0, p * np.log(p / q), 0).sum())


# 08.9: the square distance
def divergence(counts, i, levels):
    inside = counts[:i]
    P = inside.copy()
    P[-1] += counts[i:].sum()
    group = np.arange(i) * levels // i
    filled = inside > 0
    Q = np.where(filled, (np.bincount(group, inside) / np.maximum(np.bincount(group, filled), 1))[group], 0)
    return float(((P / max(P.sum(), 1) - Q / max(Q.sum(), 1)) ** 2).sum())


# 08.9: np.array_split, longer groups first
def divergence(counts, i, levels):
    inside = counts[:i]
    P = inside.copy()
    P[-1] += counts[i:].sum()
    parts = [np.where(g > 0, g.sum() / max((g > 0).sum(), 1), 0) for g in np.array_split(inside, levels)]
    Q = np.concatenate(parts)
    if not P.any():
        return 0.0
    if (Q[P > 0] == 0).any():
        return np.inf
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


# 08.9: the last bin, with what lies beyond, in the group's mean
def divergence(counts, i, levels):
    P = counts[:i].copy()
    P[-1] += counts[i:].sum()
    group = np.arange(i) * levels // i
    Q = np.where(P > 0, (np.bincount(group, P) / np.maximum(np.bincount(group, P > 0), 1))[group], 0)
    if not P.any():
        return 0.0
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


# 08.9: entropy, not divergence
def divergence(counts, i, levels):
    P = counts[:i].copy()
    P[-1] += counts[i:].sum()
    p = P[P > 0] / max(P.sum(), 1)
    return float(-(p @ np.log(p)))
