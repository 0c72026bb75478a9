"""Wrong solutions of chapter 10, beside the named mistakes of the sheet."""

import itertools

import numpy as np

from lightnn.compress.transforms.levels import mean_magnitude
from lightnn.declare import same
from lightnn.functional.kbit import lsq_range
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op


def checked(x, other, bits, least=1):
    """Raise what the docstrings of 10.1, 10.3 and 10.4 ask for."""
    if x.dtype not in (np.float32, np.float64) or (other is not None and other.dtype != x.dtype):
        raise TypeError("dtype")
    if not isinstance(bits, int) or not least <= bits <= 8 or (other is not None and other.shape != (1,)):
        raise ValueError("bits or shape")


# 10.1: half away from zero
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    checked(x, None, bits)
    n = 2**bits - 1
    y = np.floor(np.clip(x, 0, 1) * n + 0.5) / x.dtype.type(n)
    return y.astype(x.dtype), lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


# 10.1: the gradient passes where x > 0, as for ReLU
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    checked(x, None, bits)
    n = x.dtype.type(2**bits - 1)
    return np.rint(np.clip(x, 0, 1) * n) / n, lambda dy: np.where(x > 0, dy, dy.dtype.type(0))


# 10.1: the gradient of the step function, 0
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    checked(x, None, bits)
    n = x.dtype.type(2**bits - 1)
    return np.rint(np.clip(x, 0, 1) * n) / n, lambda dy: np.zeros_like(dy)


# 10.1: not clipped
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    checked(x, None, bits)
    n = x.dtype.type(2**bits - 1)
    return np.rint(x * n) / n, lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


# 10.1: integers out
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    checked(x, None, bits)
    n = x.dtype.type(2**bits - 1)
    return np.rint(np.clip(x, 0, 1) * n), lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


# 10.1: any dtype
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    if not isinstance(bits, int) or not 1 <= bits <= 8:
        raise ValueError("bits")
    n = 2**bits - 1
    y = np.rint(np.clip(x, 0, 1) * n) / n
    return y.astype(x.dtype), lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


# 10.2: the weights, not their codes
def dorefa_codes(W, m, bits):
    n = 2**bits - 1
    return 2 * np.rint(n * (np.tanh(W) / (2 * m) + 0.5)) / n - 1


# 10.2: the maximum is measured again
def dorefa_codes(W, m, bits):
    if bits == 1:
        return (W >= 0).astype(np.uint8)
    t = np.tanh(np.nan_to_num(W))
    return np.rint((2**bits - 1) * (t / (2 * np.abs(t).max()) + 0.5)).astype(np.uint8)


# 10.2: int64
def dorefa_codes(W, m, bits):
    if bits == 1:
        return np.where(W >= 0, 1, 0)
    r = np.tanh(W) / (2 * m) + 0.5
    return np.rint((2**bits - 1) * np.clip(np.nan_to_num(r), 0, 1)).astype(np.int64)


# 10.2: one bit is the sign by its formula for more
def dorefa_codes(W, m, bits):
    r = np.tanh(W) / (2 * m) + 0.5
    return np.rint((2**bits - 1) * np.clip(np.nan_to_num(r), 0, 1)).astype(np.uint8)


# 10.2: signed codes
def dorefa_codes(W, m, bits):
    if bits == 1:
        return np.where(W >= 0, 1, -1).astype(np.int8)
    n = 2 ** (bits - 1) - 1
    return np.rint(n * np.clip(np.nan_to_num(np.tanh(W) / m), -1, 1)).astype(np.int8)


# 10.2: NaN has the middle code
def dorefa_codes(W, m, bits):
    if bits == 1:
        return (W >= 0).astype(np.uint8)
    r = np.tanh(np.nan_to_num(W)) / (2 * m) + 0.5
    return np.rint((2**bits - 1) * np.clip(r, 0, 1)).astype(np.uint8)


# 10.3: the gradient of alpha from all clipped numbers, those below 0 too
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    checked(x, alpha, bits)
    n, a = x.dtype.type(2**bits - 1), np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    inside = (x > 0) & (x < a)
    y = np.rint(np.clip(x, 0, a) / a * n) / n * a
    return y, lambda dy: np.where(inside, dy, 0).astype(dy.dtype), lambda dy: np.array([dy[~inside].sum()], dy.dtype)


# 10.3: the gradient of alpha is a number
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    checked(x, alpha, bits)
    n, a = x.dtype.type(2**bits - 1), np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    y = np.rint(np.clip(x, 0, a) / a * n) / n * a
    return y, lambda dy: np.where((x > 0) & (x < a), dy, 0).astype(dy.dtype), lambda dy: dy[x >= a].sum()


# 10.3: the true derivative of y by alpha inside, as LSQ has it
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    checked(x, alpha, bits)
    n, a = x.dtype.type(2**bits - 1), np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    r = np.clip(x, 0, a) / a
    q = np.rint(r * n) / n
    slope = np.where(x >= a, 1, q - r)
    return (
        q * a,
        lambda dy: np.where((x > 0) & (x < a), dy, 0).astype(dy.dtype),
        lambda dy: np.array([(dy * slope).sum()], dy.dtype),
    )


# 10.3: the gradient of x where it is not clipped by alpha, negative numbers included
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    checked(x, alpha, bits)
    n, a = x.dtype.type(2**bits - 1), np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    y = np.rint(np.clip(x, 0, a) / a * n) / n * a
    return (
        y,
        lambda dy: np.where(x < a, dy, 0).astype(dy.dtype),
        lambda dy: np.array([dy[x >= a].sum()], dy.dtype),
    )


# 10.3: no gradient of alpha where it is held
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    checked(x, alpha, bits)
    n, a = x.dtype.type(2**bits - 1), np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    y = np.rint(np.clip(x, 0, a) / a * n) / n * a
    free = (alpha >= LEAST_SCALE) & (alpha <= MOST_SCALE)
    return (
        y,
        lambda dy: np.where((x > 0) & (x < a), dy, 0).astype(dy.dtype),
        lambda dy: (dy[x >= a].sum() * free).astype(dy.dtype),
    )


# 10.4: the derivative of the rounded function, without -v / s
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    checked(v, s, bits, 2)
    Q_N, Q_P = lsq_range(bits, signed)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    x = v / s
    q = np.rint(np.clip(x, -Q_N, Q_P))
    inside = (x > -Q_N) & (x < Q_P)
    g = 1 / np.sqrt(n * Q_P)
    return q * s, lambda dy: np.where(inside, dy, 0 * dy), lambda dy: np.array([g * (dy * q).sum()], dy.dtype)


# 10.4: a symmetric range
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    checked(v, s, bits, 2)
    _, Q_P = lsq_range(bits, signed)
    Q_N = Q_P if signed else 0
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    x = v / s
    c = np.clip(x, -Q_N, Q_P)
    inside = (x > -Q_N) & (x < Q_P)
    slope = np.where(inside, np.rint(c) - c, c) / np.sqrt(n * Q_P)
    return (
        np.rint(c) * s,
        lambda dy: np.where(inside, dy, 0 * dy),
        lambda dy: np.array([(dy * slope).sum()], dy.dtype),
    )


# 10.4: clipped after rounding, and the gradient passes up to half a step beyond the ends
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    checked(v, s, bits, 2)
    Q_N, Q_P = lsq_range(bits, signed)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    x = v / s
    q = np.clip(np.rint(x), -Q_N, Q_P)
    inside = (np.rint(x) >= -Q_N) & (np.rint(x) <= Q_P)
    slope = np.where(inside, q - x, q) / np.sqrt(n * Q_P)
    return q * s, lambda dy: np.where(inside, dy, 0 * dy), lambda dy: np.array([(dy * slope).sum()], dy.dtype)


# 10.4: the gradient of v divided by s
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    checked(v, s, bits, 2)
    Q_N, Q_P = lsq_range(bits, signed)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    x = v / s
    c = np.clip(x, -Q_N, Q_P)
    inside = (x > -Q_N) & (x < Q_P)
    slope = np.where(inside, np.rint(c) - c, c) / np.sqrt(n * Q_P)
    return (
        np.rint(c) * s,
        lambda dy: np.where(inside, dy / s, 0 * dy),
        lambda dy: np.array([(dy * slope).sum()], dy.dtype),
    )


# 10.4: n is how many numbers v has
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    checked(v, s, bits, 2)
    Q_N, Q_P = lsq_range(bits, signed)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    x = v / s
    c = np.clip(x, -Q_N, Q_P)
    inside = (x > -Q_N) & (x < Q_P)
    slope = np.where(inside, np.rint(c) - c, c) / np.sqrt(v.size * Q_P)
    return (
        np.rint(c) * s,
        lambda dy: np.where(inside, dy, 0 * dy),
        lambda dy: np.array([(dy * slope).sum()], dy.dtype),
    )


# 10.5: the mean of W, not of |W|, above D
def threshold_and_scale(W, factor):
    D = factor * mean_magnitude(W)
    large = W[np.abs(W) > D]
    return D, float(large.mean()) if large.size else 0.0


# 10.5: only positive weights are above
def threshold_and_scale(W, factor):
    D = factor * mean_magnitude(W)
    return D, mean_magnitude(W[W > D])


# 10.5: the root of the mean square
def threshold_and_scale(W, factor):
    D = factor * mean_magnitude(W)
    large = W[np.abs(W) > D]
    return D, float(np.sqrt((large**2).mean())) if large.size else 0.0


# 10.5: NaN without weights above
def threshold_and_scale(W, factor):
    a = np.abs(W)
    D = factor * float(a.mean()) if a.size else 0.0
    return D, float(a[a > D].sum() / np.float64((a > D).sum()))


# 10.5: the threshold of TTQ
def threshold_and_scale(W, factor):
    D = factor * float(np.abs(W).max(initial=0))
    return D, mean_magnitude(W[np.abs(W) > D])


# 10.5: alpha is the smallest above D
def threshold_and_scale(W, factor):
    D = factor * mean_magnitude(W)
    a = np.abs(W)
    return D, float(a[a > D].min()) if (a > D).any() else 0.0


# 10.6: one scale for both sides
@op
def trained_ternary(W, scale, *, D):
    a = np.clip(scale, LEAST_SCALE, MOST_SCALE).mean().astype(W.dtype)
    above, below = W > D, W < -D
    return (
        a * above - a * below,
        lambda dy: np.where(above | below, a * dy, dy),
        lambda dy: np.array([dy[above].sum(), -dy[below].sum()], scale.dtype),
    )


# 10.6: dL/dW as in TWN: dy
@op
def trained_ternary(W, scale, *, D):
    a, b = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    above, below = W > D, W < -D
    return (
        a * above - b * below,
        lambda dy: dy,
        lambda dy: np.array([dy[above].sum(), -dy[below].sum()], scale.dtype),
    )


# 10.6: dL/dW is 0 where the weight is 0
@op
def trained_ternary(W, scale, *, D):
    a, b = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    above, below = W > D, W < -D
    return (
        a * above - b * below,
        lambda dy: a * dy * above + b * dy * below,
        lambda dy: np.array([dy[above].sum(), -dy[below].sum()], scale.dtype),
    )


# 10.6: dL/dW has the sign of the weight
@op
def trained_ternary(W, scale, *, D):
    a, b = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    above, below = W > D, W < -D
    return (
        a * above - b * below,
        lambda dy: np.where(above, a * dy, np.where(below, -b * dy, dy)),
        lambda dy: np.array([dy[above].sum(), -dy[below].sum()], scale.dtype),
    )


# 10.6: the gradient of W_p is a mean
@op
def trained_ternary(W, scale, *, D):
    a, b = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    above, below = W > D, W < -D
    return (
        a * above - b * below,
        lambda dy: np.where(above, a * dy, np.where(below, b * dy, dy)),
        lambda dy: np.array([dy[above].mean() if above.any() else 0, -dy[below].sum()], W.dtype),
    )


# 10.7: only whole sums, no p_i of 0
def additive_levels(terms):
    sums = np.array([sum(2.0**-e for e in choice) for choice in itertools.product(*terms)])
    levels = np.unique(np.concatenate([-sums, [0.0], sums]))
    return levels / levels.max()


# 10.7: all terms have the same sign only for the first
def additive_levels(terms):
    choices = [[s * 2.0**-e for e in t for s in (-1, 1)] + [0.0] for t in terms]
    sums = np.unique([sum(p) for p in itertools.product(*choices)])
    return sums / sums.max()


# 10.7: divided by the first level
def additive_levels(terms):
    choices = [[0.0, *(2.0**-e for e in t)] for t in terms]
    sums = np.sort([sum(p) for p in itertools.product(*choices)])
    return np.concatenate([-sums[:0:-1], sums]) / (2.0 ** -terms[0][0])


# 10.7: products, not sums
def additive_levels(terms):
    choices = [[0.0, *(2.0**-e for e in t)] for t in terms]
    products = np.unique([np.prod(p) for p in itertools.product(*choices)])
    return np.concatenate([-products[:0:-1], products]) / products.max()


# 10.7: not in order
def additive_levels(terms):
    choices = [[0.0, *(2.0**-e for e in t)] for t in terms]
    sums = np.array([sum(p) for p in itertools.product(*choices)])
    return np.concatenate([-sums[:0:-1], sums]) / sums.max()


# 10.7: a list
def additive_levels(terms):
    choices = [[0.0, *(2.0**-e for e in t)] for t in terms]
    sums = sorted(sum(p) for p in itertools.product(*choices))
    return [-a / sums[-1] for a in sums[:0:-1]] + [a / sums[-1] for a in sums]


# 10.8: the loss at the new bits, not its growth
def cheapest(costs, bits, sizes):
    able = [layer for layer, K in bits.items() if K > 2]
    return min(able, key=lambda a: costs[a][bits[a] - 1] / sizes[a], default=None)


# 10.8: times the size
def cheapest(costs, bits, sizes):
    able = [layer for layer, K in bits.items() if K > 2]
    return min(able, key=lambda a: (costs[a][bits[a] - 1] - costs[a][bits[a]]) * sizes[a], default=None)


# 10.8: the first layer where none can
def cheapest(costs, bits, sizes):
    able = [layer for layer, K in bits.items() if K > 2]
    if not able:
        return next(iter(bits), None)
    return min(able, key=lambda a: (costs[a][bits[a] - 1] - costs[a][bits[a]]) / sizes[a])


# 10.8: the last of equal ones
def cheapest(costs, bits, sizes):
    best, least = None, float("inf")
    for a, K in bits.items():
        if K > 2 and (price := (costs[a][K - 1] - costs[a][K]) / sizes[a]) <= least:
            best, least = a, price
    return best


# 10.8: the first by name
def cheapest(costs, bits, sizes):
    able = sorted(layer for layer, K in bits.items() if K > 2)
    return min(able, key=lambda a: (costs[a][bits[a] - 1] - costs[a][bits[a]]) / sizes[a], default=None)


# 10.8: it takes the bit itself
def cheapest(costs, bits, sizes):
    able = [layer for layer, K in bits.items() if K > 2]
    best = min(able, key=lambda a: (costs[a][bits[a] - 1] - costs[a][bits[a]]) / sizes[a], default=None)
    if best is not None:
        bits[best] -= 1
    return best
