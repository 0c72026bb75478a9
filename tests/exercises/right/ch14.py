"""Right solutions of chapter 14, each in another style than the reference."""

import math

import numpy as np


# 14.1: a loop
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    if not isinstance(iteration, int) or iteration < 1:
        raise ValueError("iterations count from 1")
    reduction = ratio * first
    for _ in range(iteration - 1):
        reduction *= decay
    return float(now) - reduction


# 14.1: math.pow
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    if int(iteration) != iteration or iteration <= 0:
        raise ValueError(iteration)
    return float(now - first * ratio * math.pow(decay, iteration - 1))


# 14.2: two cases
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    if not (0 < latency < math.inf and 0 < target < math.inf):
        raise ValueError("times above 0")
    if latency > target:
        return float(accuracy) * (latency / target) ** beta
    return float(accuracy) * (latency / target) ** alpha


# 14.2: by logarithms
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    if min(latency, target) <= 0 or not np.isfinite([latency, target]).all():
        raise ValueError("times above 0")
    log = math.log(latency) - math.log(target)
    return float(accuracy * math.exp((alpha if log <= 0 else beta) * log))


# 14.3: step by step
def action_wall(a, this, others, budget, least):
    room = (budget - others) / this
    if a > 1:
        a = 1.0
    if a > room:
        a = room
    return float(a) if a > least else float(least)


# 14.3: by sorting
def action_wall(a, this, others, budget, least):
    upper = sorted([a, 1, (budget - others) / this])[0]
    return float(np.maximum(upper, least))


# 14.4: loops
def layer_state(features, macs, left, t, last):
    state = []
    for k in range(len(features[0])):
        column = [row[k] for row in features]
        span = max(column) - min(column)
        state.append((column[t] - min(column)) / span if span else 0.0)
    total = sum(macs)
    gone = sum(macs[i] - left[i] for i in range(t))
    return np.array([*state, gone / total, sum(macs[t + 1 :]) / total, last], float)


# 14.4: np.ptp
def layer_state(features, macs, left, t, last):
    f, macs, left = np.array(features, float), np.array(macs, float), np.array(left, float)
    span = np.ptp(f, 0)
    scaled = np.divide(f - f.min(0), span, out=np.zeros_like(f), where=span > 0)[t]
    before = np.arange(len(macs)) < t
    after = np.arange(len(macs)) > t
    parts = [(macs - left)[before].sum() / macs.sum(), macs[after].sum() / macs.sum(), last]
    return np.concatenate([scaled, parts])


# 14.5: sorted pairs
def tpe_split(rewards, fraction=0.25):
    order = sorted(range(len(rewards)), key=lambda i: (-rewards[i], i))
    count = math.ceil(fraction * len(rewards))
    good, others = sorted(order[:count]), sorted(order[count:])
    return np.array(good, np.int64), np.array(others, np.int64)


# 14.5: one best after the other
def tpe_split(rewards, fraction=0.25):
    left, chosen = np.array(rewards, float), np.zeros(len(rewards), bool)
    for _ in range(-int(-fraction * len(rewards) // 1)):
        k = int(np.argmax(left))
        left[k], chosen[k] = -np.inf, True
    return np.flatnonzero(chosen), np.flatnonzero(~chosen)


# 14.6: by cases
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    terms, gradient = [], []
    for new, old, a in zip(log_p, log_p_old, advantages):
        r = math.exp(new - old)
        stops = (a > 0 and r > 1 + eps) or (a < 0 and r < 1 - eps)
        bound = 1 + eps if a > 0 else 1 - eps
        terms.append(bound * a if stops else r * a)
        gradient.append(0.0 if stops else r * a)
    return sum(terms) / len(terms), np.array(gradient, float) / len(terms)


# 14.6: clipping the advantages' side
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    a = np.array(advantages, float)
    r = np.exp(np.array(log_p, float) - np.array(log_p_old, float))
    reached = np.where(a > 0, np.minimum(r, 1 + eps), np.maximum(r, 1 - eps))
    return float(np.mean(reached * a)), np.where(reached == r, r * a, 0.0) / a.size


# 14.7: an inverse
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    X, y, X_new = np.array(X, float), np.array(y, float), np.array(X_new, float)

    def kernel(a, b):
        d2 = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
        return np.exp(-0.5 * d2 / length**2)

    inverse = np.linalg.inv(kernel(X, X) + np.diag(np.full(len(X), noise)))
    K = kernel(X_new, X)
    return K @ inverse @ y, np.clip(1 - np.diag(K @ inverse @ K.T), 0, None)


# 14.7: Cholesky, point by point
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    X, y, X_new = np.array(X, float), np.array(y, float), np.array(X_new, float)

    def k(a, b):
        return math.exp(-float(np.dot(a - b, a - b)) / (2 * length * length))

    K = np.array([[k(a, b) + noise * (i == j) for j, b in enumerate(X)] for i, a in enumerate(X)])
    L = np.linalg.cholesky(K)
    z, means, variances = np.linalg.solve(L, y), [], []
    for point in X_new:
        v = np.linalg.solve(L, np.array([k(point, a) for a in X]))
        means.append(v @ z)
        variances.append(max(0.0, 1 - v @ v))
    return np.array(means), np.array(variances)
