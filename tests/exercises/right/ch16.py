"""Right solutions of chapter 16, each in another style than the reference."""

import math

import numpy as np


# 16.1: own checks
def information_density(accuracy, params):
    if not 0 <= accuracy <= 100:
        raise ValueError("want an accuracy in %")
    if not 0 < params < math.inf:
        raise ValueError("want parameters")
    return 1e6 * accuracy / params


# 16.1: floats first
def information_density(accuracy, params):
    a, p = float(accuracy), float(params) * 1e-6
    if a < 0 or a > 100 or p <= 0 or math.isinf(p):
        raise ValueError("no such network")
    return a / p


# 16.2: the quotient first
def netscore(accuracy, params, macs, alpha=2, beta=0.5, gamma=0.5):
    if not 0 < accuracy <= 100 or min(params, macs) <= 0 or not math.isfinite(params + macs):
        raise ValueError("no such network")
    if min(alpha, beta, gamma) < 0 or not math.isfinite(alpha + beta + gamma):
        raise ValueError("no such exponent")
    return 20 * math.log10(accuracy**alpha / ((params / 1e6) ** beta * (macs / 1e9) ** gamma))


# 16.2: by natural logarithms
def netscore(accuracy, params, macs, alpha=2, beta=0.5, gamma=0.5):
    for value, low, high in ((params, 0, math.inf), (macs, 0, math.inf), (accuracy, 0, 100.0001)):
        if not low < value < high:
            raise ValueError("out of range")
    for exponent in (alpha, beta, gamma):
        if not 0 <= exponent < math.inf:
            raise ValueError("out of range")
    natural = alpha * math.log(accuracy) - beta * math.log(params / 1e6) - gamma * math.log(macs / 1e9)
    return 20 * natural / math.log(10)


# 16.3: a loop
def flops_left(macs, weights, outputs):
    left, inputs, done = [], 1.0, 0.0
    for i in range(len(macs)):
        left.append(float(weights[i] * inputs))
        done += macs[i] * left[i]
        inputs = outputs[i]
    return left, done / sum(macs)


# 16.3: arrays
def flops_left(macs, weights, outputs):
    inputs = np.concatenate([[1.0], np.asarray(outputs, float)[:-1]])
    left = np.asarray(weights, float) * inputs
    return left.tolist(), float(np.average(left, weights=macs))


# 16.4: step by step
def peak_bytes(lives):
    most = 0
    for step in {first for _, first, _ in lives}:
        most = max(most, sum(size for size, first, last in lives if first <= step <= last))
    return most


# 16.4: a table of steps
def peak_bytes(lives):
    held = {}
    for size, first, last in lives:
        for step in range(first, last + 1):
            held[step] = held.get(step, 0) + size
    return max(held.values(), default=0)


# 16.5: loops
def pareto(costs):
    c = np.array(costs, float)
    if c.ndim != 2 or np.isnan(c).any():
        raise ValueError("want (N, K)")
    found = []
    for i in range(len(c)):
        if not any(np.all(row <= c[i]) and np.any(row < c[i]) for row in c):
            found.append(i)
    return np.array(found, np.int64)


# 16.5: one after the other is taken out
def pareto(costs):
    c = np.asarray(costs, float)
    if c.ndim != 2 or (c != c).any():
        raise ValueError("want (N, K)")
    stays = np.ones(len(c), bool)
    for j in range(len(c)):
        stays &= ~((c[j] <= c).all(1) & (c[j] != c).any(1))
    return np.nonzero(stays)[0]


# 16.6: loops over pairs
def rank_agreement(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.ndim != 1 or a.size < 2 or np.isnan(a).any() or np.isnan(b).any():
        raise ValueError("want two arrays (N,)")
    same = other = left = right = 0
    for i in range(len(a)):
        for j in range(i):
            product = (a[i] - a[j]) * (b[i] - b[j])
            same += product > 0
            other += product < 0
            left += a[i] != a[j]
            right += b[i] != b[j]
    if not left or not right:
        raise ValueError("all are equal")
    return float((int(same) - int(other)) / math.sqrt(int(left) * int(right)))


# 16.6: matrices of signs
def rank_agreement(a, b):
    a, b = (np.array(v, np.float64) for v in (a, b))
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2 or not np.isfinite(a - a + b - b).all():
        raise ValueError("want two arrays (N,)")
    s, t = (np.sign(v[:, None] - v) for v in (a, b))
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise ValueError("all are equal")
    return float(np.sum(s * t) / np.sqrt(np.sum(s * s) * np.sum(t * t)))
