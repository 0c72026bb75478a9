"""Right solutions of chapter 13, each in another style than the reference."""

import math

import numpy as np

from lightnn import options


# 13.1: checked by hand
def macs_factor(d, w, r):
    for value in (d, w, r):
        if not (0 < value < math.inf):
            raise ValueError(f"want a number > 0, got {value}")
    return float(d) * w * w * r * r


# 13.1: powers in a loop
def macs_factor(d, w, r):
    y = 1.0
    for base, power in ((d, 1), (w, 2), (r, 2)):
        if not np.isfinite(base) or base <= 0:
            raise ValueError("numbers above 0")
        y *= base**power
    return float(y)


# 13.2: float powers
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    for base in (alpha, beta, gamma):
        if not 1 <= base < math.inf:
            raise ValueError("bases of at least 1")
    if not math.isfinite(phi):
        raise ValueError("a finite phi")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


# 13.2: exponentials of logarithms
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not np.isfinite([phi, alpha, beta, gamma]).all() or min(alpha, beta, gamma) < 1:
        raise ValueError("want a finite phi, and bases >= 1")
    return tuple(float(x) for x in np.exp(phi * np.log([alpha, beta, gamma])))


# 13.3: floor
def round_filters(channels, width_mult=1.0, divisor=8):
    c = channels * width_mult
    steps = max(1, math.floor(c / divisor + 0.5))
    if steps * divisor < 0.9 * c:
        steps += 1
    return steps * divisor


# 13.3: the rest of a division
def round_filters(channels, width_mult=1.0, divisor=8):
    wanted = channels * width_mult
    over = wanted % divisor
    near = wanted - over + (divisor if 2 * over >= divisor else 0)
    near = int(round(near)) or divisor
    while near < 0.9 * wanted:
        near += divisor
    return near


# 13.4: einsum
def squeeze_excitation(x, w1, b1, w2, b2):
    z = np.einsum("nchw->nc", x) / x.dtype.type(x.shape[2] * x.shape[3])
    t = np.einsum("sc,nc->ns", w1, z) + b1
    t = t / (1 + np.exp(-t))
    t = np.einsum("cs,ns->nc", w2, t) + b2
    return np.einsum("nc,nchw->nchw", 1 / (1 + np.exp(-t)), x)


# 13.4: image by image
def squeeze_excitation(x, w1, b1, w2, b2):
    y = np.empty_like(x)
    for n in range(len(x)):
        z = x[n].reshape(x.shape[1], -1).mean(axis=1)
        hidden = w1 @ z + b1
        hidden = hidden * (0.5 + 0.5 * np.tanh(hidden / 2))
        gate = 0.5 + 0.5 * np.tanh((w2 @ hidden + b2) / 2)
        for c in range(x.shape[1]):
            y[n, c] = gate[c] * x[n, c]
    return y


# 13.5: a loop
def residual_with_stochastic_depth(x, branch, drawn, p):
    y = x.copy()
    for n in range(len(x)):
        if drawn[n] >= p:
            y[n] += branch[n] / x.dtype.type(1 - p)
    return y


# 13.5: an index of the kept images
def residual_with_stochastic_depth(x, branch, drawn, p):
    y, kept = np.array(x), np.flatnonzero(np.asarray(drawn) >= p)
    if p < 1:
        y[kept] = x[kept] + branch[kept] / x.dtype.type(1 - p)
    return y


# 13.6: image by image
def agreement(floats, others, k=5):
    a, b = np.array(floats, float), np.array(others, float)
    if a.ndim != 2 or a.shape != b.shape or a.size == 0:
        raise ValueError("want two arrays (N, C)")
    if not isinstance(k, int) or not 1 <= k <= a.shape[1]:
        raise ValueError("want k from 1 to C")
    same = among = kl = 0.0
    for u, v in zip(a, b):
        c = int(np.argmax(u))
        same += int(np.argmax(v)) == c
        among += int((v > v[c]).sum()) < k
        u, v = u - np.logaddexp.reduce(u), v - np.logaddexp.reduce(v)
        kl += float(np.sum(np.exp(u) * (u - v)))
    return same / len(a), among / len(a), kl / len(a)


# 13.6: places by sorting
def agreement(floats, others, k=5):
    floats, others = np.asarray(floats).astype(np.float64), np.asarray(others).astype(np.float64)
    if floats.shape != others.shape or floats.ndim != 2 or 0 in floats.shape:
        raise ValueError("shapes")
    N, C = floats.shape
    k = options.count("k", k, 1, C)
    rows, chosen = np.arange(N), floats.argmax(axis=1)
    kth = np.sort(others, axis=1)[:, C - k]
    p = np.exp(floats - floats.max(axis=1)[:, None])
    p /= p.sum(axis=1)[:, None]
    log_q = others - np.logaddexp.reduce(others, axis=1)[:, None]
    log_p = floats - np.logaddexp.reduce(floats, axis=1)[:, None]
    kl = (p * (log_p - log_q)).sum() / N
    return float(np.mean(others.argmax(axis=1) == chosen)), float(np.mean(others[rows, chosen] >= kth)), float(kl)
