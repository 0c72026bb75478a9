"""Right solutions of chapter 10, each in another style than the reference."""

import itertools

import numpy as np

from lightnn.declare import same
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op


# 10.1: round, minimum and maximum
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    if x.dtype not in (np.float32, np.float64):
        raise TypeError("floats, please")
    if not isinstance(bits, int) or bits not in range(1, 9):
        raise ValueError("1 to 8 bits")
    steps = x.dtype.type(2**bits - 1)
    y = np.round(np.minimum(np.maximum(x, 0), 1) * steps) / steps
    return y, lambda dy: dy * ((0 <= x) & (x <= 1))


# 10.1: the gradient by what clipping changes
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    if x.dtype.kind != "f" or x.dtype.itemsize < 4:
        raise TypeError(x.dtype)
    if bits not in (1, 2, 3, 4, 5, 6, 7, 8):
        raise ValueError(bits)
    r = np.clip(x, 0, 1)

    def back(dy):
        dx = dy.copy()
        dx[r != x] = 0
        return dx

    return (np.rint(r * (2**bits - 1)) / (2**bits - 1)).astype(x.dtype), back


# 10.2: NaN at the end
def dorefa_codes(W, m, bits):
    if bits == 1:
        return np.where(W >= 0, 1, 0).astype(np.uint8)
    r = np.clip(np.tanh(W) / m / 2 + 0.5, 0, 1)
    return np.where(np.isnan(W), 0, np.round(r * (2**bits - 1))).astype("uint8")


# 10.2: one weight after the other
def dorefa_codes(W, m, bits):
    n = 2**bits - 1
    codes = np.zeros(W.shape, np.uint8)
    for i in np.ndindex(W.shape):
        if bits == 1:
            codes[i] = W[i] >= 0
        elif W[i] == W[i]:
            codes[i] = round(float(min(max(np.tanh(W[i]) / (2 * m) + 0.5, 0), 1) * n))
    return codes


# 10.3: the step first
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    if x.dtype != alpha.dtype or x.dtype not in (np.float32, np.float64):
        raise TypeError("one dtype")
    if alpha.shape != (1,) or not isinstance(bits, int) or not 1 <= bits <= 8:
        raise ValueError("alpha or bits")
    a = np.minimum(np.maximum(alpha, LEAST_SCALE), MOST_SCALE).astype(x.dtype)
    n = 2**bits - 1
    y = a * (np.round(n * (np.clip(x, 0, a) / a)) / n).astype(x.dtype)
    return y, lambda dy: dy * (x > 0) * (x < a), lambda dy: (dy * (x >= a)).sum().reshape(1)


# 10.3: masks
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    if {x.dtype.name, alpha.dtype.name} not in ({"float32"}, {"float64"}):
        raise TypeError(x.dtype)
    if alpha.shape != (1,):
        raise ValueError(alpha.shape)
    if type(bits) is not int or bits < 1 or bits > 8:
        raise ValueError(bits)
    a = x.dtype.type(min(max(alpha[0], LEAST_SCALE), MOST_SCALE))
    above, below = x >= a, x <= 0
    r = np.where(above, 1, np.where(below, 0, x / a))
    y = a * np.rint((2**bits - 1) * r) / (2**bits - 1)

    def vjp_x(dy):
        return np.where(above | below, 0, dy).astype(dy.dtype)

    return y.astype(x.dtype), vjp_x, lambda dy: np.array([dy[above].sum()], dtype=dy.dtype)


# 10.4: three cases by np.select
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    if v.dtype != s.dtype or v.dtype not in (np.float32, np.float64):
        raise TypeError("one dtype")
    if s.shape != (1,) or not isinstance(bits, int) or not 2 <= bits <= 8 or n < 1:
        raise ValueError("s, bits or n")
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE).astype(v.dtype)
    x = v / s
    q = np.round(np.minimum(np.maximum(x, low), high))
    g = (n * high) ** -0.5

    def vjp_s(dy):
        ds = np.select([x <= low, x >= high], [low, high], q - x)
        return np.array([(dy * ds).sum() * g]).astype(v.dtype)

    return q * s, lambda dy: np.where((x > low) & (x < high), dy, 0 * dy), vjp_s


# 10.4: masks and their sums
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    if not (v.dtype == s.dtype and v.dtype.name in ("float32", "float64")):
        raise TypeError(v.dtype)
    if s.shape != (1,) or bits not in list(range(2, 9)) or not n > 0:
        raise ValueError(bits)
    Q_N = 2 ** (bits - 1) if signed else 0
    Q_P = 2 ** (bits - signed) - 1
    step = v.dtype.type(np.clip(s[0], LEAST_SCALE, MOST_SCALE))
    x = v / step
    under, over = x <= -Q_N, x >= Q_P
    between = ~under & ~over
    v_hat = np.where(under, -Q_N * step, np.where(over, Q_P * step, np.rint(x) * step)).astype(v.dtype)

    def vjp_s(dy):
        total = (dy * (np.rint(x) - x))[between].sum() - Q_N * dy[under].sum() + Q_P * dy[over].sum()
        return np.array([total / np.sqrt(n * Q_P)], dy.dtype)

    return v_hat, lambda dy: dy * between, vjp_s


# 10.5: a mean and a masked mean
def threshold_and_scale(W, factor):
    a = np.abs(W)
    if a.size == 0:
        return 0.0, 0.0
    D = factor * np.mean(a)
    large = a[a > D]
    return float(D), float(large.mean()) if large.size else 0.0


# 10.5: sums and a count
def threshold_and_scale(W, factor):
    magnitudes = [abs(w) for w in np.ravel(W).tolist()]
    D = factor * sum(magnitudes) / max(len(magnitudes), 1)
    above = [w for w in magnitudes if w > D]
    return float(D), sum(above) / max(len(above), 1) * 1.0


# 10.6: sign times masks
@op
def trained_ternary(W, scale, *, D):
    W_p, W_n = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    plus, minus = W > D, W < -D

    def vjp_scale(dy):
        return np.array([dy[plus].sum(), -dy[minus].sum()]).astype(scale.dtype)

    slope = (1 + plus * (W_p - 1) + minus * (W_n - 1)).astype(W.dtype)
    slope[plus], slope[minus] = W_p, W_n
    return W_p * plus - W_n * minus, lambda dy: dy * slope, vjp_scale


# 10.6: np.select
@op
def trained_ternary(W, scale, *, D):
    a, b = (W.dtype.type(min(max(float(s), LEAST_SCALE), MOST_SCALE)) for s in scale)
    cases = [W > D, W < -D]
    return (
        np.select(cases, [a, -b], 0).astype(W.dtype),
        lambda dy: np.select(cases, [a * dy, b * dy], dy),
        lambda dy: np.array([(dy * cases[0]).sum(), -(dy * cases[1]).sum()], dtype=scale.dtype),
    )


# 10.7: a set of sums, one term after the other
def additive_levels(terms):
    sums = {0.0}
    for exponents in terms:
        sums |= {a + 0.5**e for a in sums for e in exponents}
    levels = np.array(sorted(sums | {-a for a in sums}))
    return levels / levels.max()


# 10.7: np.add.outer and np.unique
def additive_levels(terms):
    sums = np.zeros(1)
    for exponents in terms:
        sums = np.add.outer(sums, np.array([0.0] + [1 / 2**e for e in exponents])).ravel()
    return np.unique(np.concatenate([sums, -sums])) / sums.max()


# 10.7: every choice
def additive_levels(terms):
    made = [sum(2.0 ** -float(e) for e in chosen if e is not None) for chosen in
            itertools.product(*[(None, *t) for t in terms])]  # fmt: skip
    top = max(made)
    return np.array(sorted({sign * a / top for a in made for sign in (1, -1)}), dtype=float)


# 10.8: a loop
def cheapest(costs, bits, sizes):
    best, least = None, float("inf")
    for layer in bits:
        K = bits[layer]
        if K > 2:
            price = (costs[layer][K - 1] - costs[layer][K]) / sizes[layer]
            if price < least:
                best, least = layer, price
    return best


# 10.8: sorted by the price
def cheapest(costs, bits, sizes):
    prices = [((costs[a][K - 1] - costs[a][K]) / sizes[a], i, a) for i, (a, K) in enumerate(bits.items()) if K >= 3]
    return sorted(prices)[0][2] if prices else None
