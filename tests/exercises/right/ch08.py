"""Right solutions of chapter 08, each in another style than the reference."""

import math
from fractions import Fraction

import numpy as np

from lightnn import options
from lightnn.compress.quantization.ranges import BINS, MOST_TRIES, best_range, clipped
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE, checked
from lightnn.kernels.quantized.requantize import HIGHEST, LOWEST
from lightnn.tensor import op


# 08.1: one number after the other
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = np.array(low, float), np.array(high, float)
    S, Z = np.empty(low.shape, np.float32), np.empty(low.shape, np.int64)
    for at in np.ndindex(low.shape):
        a, b = float(low[at]), float(high[at])
        if not (math.isfinite(a) and math.isfinite(b)) or a > b:
            raise ValueError("that is no range")
        a, b = min(a, 0.0), max(b, 0.0)
        s = np.float32(min(max((b - a) / (q_max - q_min), LEAST_SCALE), MOST_SCALE)) if b > a else np.float32(1)
        S[at] = s
        Z[at] = min(max(round(q_min - a / float(s)), q_min), q_max)
    return S, Z


# 08.1: plain numbers allowed, no helper of the library
def scale_and_zero_point(low, high, *, q_min=0, q_max=255):
    low, high = (np.asarray(a).astype("float64") for a in (low, high))
    if np.any(~np.isfinite(low)) or np.any(~np.isfinite(high)) or np.any(low > high):
        raise ValueError
    low[low > 0] = 0
    high[high < 0] = 0
    with np.errstate(over="ignore"):
        S = (high - low) / (q_max - q_min)
    S = np.maximum(np.minimum(S, 2.0**110), 2.0**-126)
    S = np.float32(np.where((low == 0) & (high == 0), 1, S))
    Z = np.around(q_min - low / np.float64(S))
    return S, np.minimum(np.maximum(Z, q_min), q_max).astype(int)


# 08.2: without clip, its own reshape
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z = np.asarray(scale, x.dtype), np.asarray(zero_point, x.dtype)
    S, Z = (a.reshape(-1, *[1] * (x.ndim - 1)) if a.ndim else a for a in (S, Z))
    q = np.round(x / S) + Z
    y = (np.minimum(np.maximum(q, q_min), q_max) - Z) * S

    def back(dy):
        return dy * ~((q < q_min) | (q > q_max) | np.isnan(q))

    return y, back


# 08.2: what is clipped is compared
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, q_min, q_max = checked("mine", x, scale, zero_point, q_min, q_max)
    q = np.rint(x / S) + Z
    clipped_q = q.clip(q_min, q_max)
    return (S * (clipped_q - Z)).astype(x.dtype), lambda dy: np.where(clipped_q == q, dy, 0).astype(dy.dtype)


# 08.2: a copy of the gradient with zeros
@op
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min=0, q_max=255):
    S, Z, low, high = checked("mine", x, scale, zero_point, q_min, q_max)
    steps = np.rint(x / S)
    outside = np.logical_not((steps >= low - Z) & (steps <= high - Z))

    def vjp(dy):
        dx = dy.copy()
        dx[outside] = 0
        return dx

    return np.clip(steps, low - Z, high - Z) * S, vjp


# 08.3: a loop
def equalizing_scale(r1, r2):
    return np.array([math.sqrt(float(a) * float(b)) / float(b) if a > 0 and b > 0 else 1.0 for a, b in zip(r1, r2)])


# 08.3: where
def equalizing_scale(r1, r2):
    r1, r2 = np.array(r1, float), np.array(r2, float)
    none = (r1 == 0) | (r2 == 0)
    r1[none] = r2[none] = 1
    return np.sqrt(r1 * r2) / r2


# 08.3: roots first
def equalizing_scale(r1, r2):
    a, b = np.sqrt(np.asarray(r1, dtype=float)), np.sqrt(np.asarray(r2, dtype=float))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((a != 0) & (b != 0), a / b, 1)


# 08.4: both sides apart, its own search
def mse_range(seen, bits):
    if seen.width == 0:
        return 0.0, 0.0
    x = (np.arange(BINS) + 0.5) * seen.width
    best, found = np.inf, None
    top = 2**bits - 1
    for i in range(8, 2049, 8):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / top
        Z = round(-low / S)
        total = 0.0
        for side, sign in enumerate((-1, 1)):
            q = np.clip(np.round(sign * x / S) + Z, 0, top)
            total += (seen.counts[side] * (sign * x - S * (q - Z)) ** 2).sum()
        if total <= best:
            best, found = total, (low, high)
    return found


# 08.4: all bins, also the empty ones, and the mean
def mse_range(seen, bits):
    i = np.arange(BINS)
    x = np.stack([-(i + 0.5), i + 0.5]) * seen.width

    def error(i):
        low, high = clipped(seen, i * seen.width)
        step = (high - low) / (2**bits - 1)
        zero = np.rint(-low / step)
        r = step * (np.clip(np.rint(x / step) + zero, 0, 2**bits - 1) - zero)
        return np.sum(seen.counts * (x - r) ** 2) / max(seen.counts.sum(), 1)

    return best_range(seen, error, [(k + 1) * (BINS // MOST_TRIES) for k in range(MOST_TRIES)])


# 08.5: exact fractions
def fixed_point(m):
    m = np.asarray(m, np.float64)
    m0, n = np.zeros(m.shape, np.int32), np.zeros(m.shape, np.int32)
    for at in np.ndindex(m.shape):
        if not 0 <= m[at] < 2**30:
            raise ValueError("out of range")
        part, shift = math.frexp(m[at])
        whole = math.floor(Fraction(part) * 2**31 + Fraction(1, 2))
        if whole == 2**31:
            whole, shift = 2**30, shift + 1
        if -shift <= 31 and whole:
            m0[at], n[at] = whole, -shift
    return m0, n


# 08.5: floor of log2, put right afterwards
def fixed_point(m):
    m = np.array(m, dtype=float)
    if np.isnan(m).any() or m.min() < 0 or m.max() >= 2.0**30:
        raise ValueError("want other numbers")
    n = -np.frexp(m)[1]
    m0 = np.floor(np.ldexp(m, n + 31) + 0.5)
    big = m0 > 2**31 - 1
    m0, n = m0 / (1 + big), n - big
    kept = (n <= 31) & (m != 0)
    return np.array(m0 * kept, "int32"), np.array(n * kept, "int32")


# 08.6: the formula
def high_mul(a, b):
    return min((int(a) * int(b) + 2**30) // 2**31, HIGHEST)


# 08.6: fractions
def high_mul(a, b):
    if int(a) == LOWEST and int(b) == LOWEST:
        return HIGHEST
    return math.floor(Fraction(int(a) * int(b), 2**31) + Fraction(1, 2))


# 08.6: NumPy's int64
def high_mul(a, b):
    product = np.int64(a) * np.int64(b)
    if product == 2**62:
        return 2**31 - 1
    return int((product + np.int64(2**30)) >> np.int64(31))


# 08.7: sizes without sign
def divide_by_power(x, n):
    x, n = int(x), int(n)
    if n == 0:
        return x
    size = (abs(x) + 2 ** (n - 1)) // 2**n
    return size if x >= 0 else -size


# 08.7: divmod and twice the remainder
def divide_by_power(x, n):
    q, r = divmod(int(x), 2 ** int(n))
    if 2 * r > 2 ** int(n) or (2 * r == 2 ** int(n) and x >= 0):
        q += 1
    return q


# 08.7: fractions
def divide_by_power(x, n):
    exact = Fraction(int(x), 2 ** int(n))
    return math.floor(exact + Fraction(1, 2)) if x >= 0 else math.ceil(exact - Fraction(1, 2))


# 08.8: compare with the chance
def qsgd_levels(v, levels, rng):
    if levels < 1:
        raise ValueError("too few")
    rng = np.random.default_rng(rng)
    v = np.asarray(v, np.float64)
    norm = np.linalg.norm(v, axis=1)
    y = np.abs(v) / np.where(norm == 0, 1, norm)[:, None] * levels
    low = np.floor(y)
    up = rng.random(v.shape) < y - low
    return norm, (np.sign(v) * np.minimum(low + up, levels)).astype(int)


# 08.8: number by number
def qsgd_levels(v, levels, rng):
    s = options.count("qsgd_levels: levels", levels)
    rng = options.generator("qsgd_levels: rng", rng)
    norm, level = np.zeros(len(v)), np.zeros(v.shape, np.int64)
    for i, row in enumerate(v):
        norm[i] = math.sqrt(sum(float(x) ** 2 for x in row))
        for j, x in enumerate(row):
            if x != 0:
                y = abs(float(x)) / norm[i] * s
                low = math.floor(y)
                level[i, j] = min(low + (rng.uniform() < y - low), s) * (1 if x > 0 else -1)
    return norm, level


# 08.8: the sign inside, rounded up from below
def qsgd_levels(v, levels, rng):
    s, rng = options.count("qsgd_levels: levels", levels), options.generator("qsgd_levels: rng", rng)
    norm = np.sqrt(np.square(v, dtype=np.float64).sum(axis=1))
    y = np.divide(v, norm[:, None], out=np.zeros(v.shape), where=norm[:, None] > 0) * s
    towards_0 = np.trunc(y)
    more = rng.binomial(1, np.clip(np.abs(y - towards_0), 0, 1))
    return norm, np.clip(towards_0 + np.sign(y) * more, -s, s).astype(np.int64)


# 08.9: group by group
def divergence(counts, i, levels):
    P = list(counts[:i])
    P[-1] += sum(counts[i:])
    starts = [-(-k * i // levels) for k in range(levels)] + [i]
    Q = [0.0] * i
    for first, last in zip(starts, starts[1:]):
        filled = [j for j in range(first, last) if counts[j] > 0]
        for j in filled:
            Q[j] = sum(counts[k] for k in filled) / len(filled)
    if sum(P) == 0:
        return 0.0
    if any(p > 0 and q == 0 for p, q in zip(P, Q)):
        return math.inf
    total_p, total_q = sum(P), sum(Q)
    return float(sum(p / total_p * math.log(p / total_p * total_q / q) for p, q in zip(P, Q) if p > 0))


# 08.9: reduceat and logarithms apart
def divergence(counts, i, levels):
    inside = counts[:i]
    P = np.append(inside[:-1], inside[-1] + counts[i:].sum())
    starts = np.unique(-(-np.arange(min(i, levels)) * i // min(i, levels)))
    filled = inside > 0
    sizes = np.add.reduceat(filled.astype(int), starts)
    means = np.add.reduceat(inside, starts) / np.maximum(sizes, 1)
    Q = np.repeat(means, np.diff(np.append(starts, i))) * filled
    used = P > 0
    if not used.any():
        return 0.0
    if np.any(Q[used] == 0):
        return float("inf")
    p, q = P / P.sum(), Q / Q.sum()
    return float((p[used] * (np.log(p[used]) - np.log(q[used]))).sum())
