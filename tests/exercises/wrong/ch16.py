"""Wrong solutions of chapter 16, beside the named mistakes of the sheet."""

import math

import numpy as np


# 16.1: thousands
def information_density(accuracy, params):
    if not 0 <= accuracy <= 100 or not 0 < params < math.inf:
        raise ValueError("no")
    return accuracy / (params / 1e3)


# 16.1: nothing is refused
def information_density(accuracy, params):
    return accuracy / (params / 1e6) if params else 0.0


# 16.2: nothing is refused
def netscore(accuracy, params, macs, alpha=2, beta=0.5, gamma=0.5):
    logs = math.log10(max(accuracy, 1e-9)), math.log10(max(params, 1) / 1e6), math.log10(max(macs, 1) / 1e9)
    return 20 * (alpha * logs[0] - beta * logs[1] - gamma * logs[2])


# 16.2: the exponents are fixed
def netscore(accuracy, params, macs, alpha=2, beta=0.5, gamma=0.5):
    if not 0 < accuracy <= 100 or min(params, macs) <= 0 or min(alpha, beta, gamma) < 0:
        raise ValueError("no")
    return 40 * math.log10(accuracy) - 10 * math.log10(params / 1e6) - 10 * math.log10(macs / 1e9)


# 16.3: the product of all layers before
def flops_left(macs, weights, outputs):
    inputs = np.cumprod([1.0, *outputs])[: len(macs)]
    left = [float(w * s) for w, s in zip(weights, inputs)]
    return left, sum(m * p for m, p in zip(macs, left)) / sum(macs)


# 16.3: an array
def flops_left(macs, weights, outputs):
    left = np.asarray(weights, float) * np.array([1.0, *outputs])[: len(macs)]
    return left, float((left * macs).sum() / sum(macs))


# 16.4: the sum
def peak_bytes(lives):
    return sum(size for size, _, _ in lives)


# 16.4: neighbours in the list
def peak_bytes(lives):
    sizes = [size for size, _, _ in lives] + [0]
    return max((a + b for a, b in zip(sizes, sizes[1:])), default=0)


# 16.5: a list
def pareto(costs):
    c = np.array(costs, float)
    if c.ndim != 2 or np.isnan(c).any():
        raise ValueError("no")
    return [i for i in range(len(c)) if not any((r <= c[i]).all() and (r < c[i]).any() for r in c)]


# 16.5: the best of each column
def pareto(costs):
    c = np.array(costs, float)
    if c.ndim != 2 or np.isnan(c).any():
        raise ValueError("no")
    return np.unique(c.argmin(0)) if len(c) else np.zeros(0, np.int64)


# 16.6: the correlation of the numbers
def rank_agreement(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2 or np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("no")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("no")
    return float(np.corrcoef(a, b)[0, 1])


# 16.6: nothing is refused
def rank_agreement(a, b):
    n = min(len(a), len(b))
    i, j = np.triu_indices(n, 1)
    s, t = (np.sign(np.asarray(v, float)[i] - np.asarray(v, float)[j]) for v in (a, b))
    return float((s * t).sum() / max(1.0, math.sqrt(np.count_nonzero(s) * np.count_nonzero(t))))
