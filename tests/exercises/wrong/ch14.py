"""Wrong solutions of chapter 14, beside the named mistakes of the sheet."""

import math

import numpy as np


# 14.1: the target of the last iteration is forgotten: all reductions from the start
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    if not isinstance(iteration, int) or iteration < 1:
        raise ValueError("iterations count from 1")
    return float(first - ratio * first * sum(decay**k for k in range(iteration)))


# 14.1: a fraction of the fraction
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    if not isinstance(iteration, int) or iteration < 1:
        raise ValueError("iterations count from 1")
    return float(now * (1 - ratio) * decay ** (iteration - 1))


# 14.1: the decay is divided by the iteration
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    if not isinstance(iteration, int) or iteration < 1:
        raise ValueError("iterations count from 1")
    return float(now - ratio * first * decay / iteration)


# 14.2: a difference
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    if not (0 < latency < math.inf and 0 < target < math.inf):
        raise ValueError("times above 0")
    w = alpha if latency <= target else beta
    return float(accuracy + w * (latency - target))


# 14.2: the accuracy is in the power, too
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    if not (0 < latency < math.inf and 0 < target < math.inf):
        raise ValueError("times above 0")
    w = alpha if latency <= target else beta
    return float((accuracy * latency / target) ** w)


# 14.2: what is fast gains nothing
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    if not (0 < latency < math.inf and 0 < target < math.inf):
        raise ValueError("times above 0")
    return float(accuracy * max(1.0, latency / target) ** beta)


# 14.3: of the whole budget
def action_wall(a, this, others, budget, least):
    return float(max(min(a, 1.0, budget / (this + others)), least))


# 14.3: the agent's fraction of what is left
def action_wall(a, this, others, budget, least):
    return float(max(min(a, 1.0) * (budget - others) / this, least))


# 14.3: 0 where it does not fit
def action_wall(a, this, others, budget, least):
    room = (budget - others) / this
    return float(max(min(a, 1.0, room), least)) if room > 0 else 0.0


# 14.4: float32
def layer_state(features, macs, left, t, last):
    f, macs, left = (np.asarray(given, np.float64) for given in (features, macs, left))
    span = np.where(f.max(0) > f.min(0), f.max(0) - f.min(0), 1)
    parts = (macs[:t] - left[:t]).sum() / macs.sum(), macs[t + 1 :].sum() / macs.sum()
    return np.array([*(f[t] - f.min(0)) / span, *parts, last], np.float32)


# 14.4: of what is left
def layer_state(features, macs, left, t, last):
    f, macs, left = (np.asarray(given, np.float64) for given in (features, macs, left))
    span = np.where(f.max(0) > f.min(0), f.max(0) - f.min(0), 1)
    parts = (macs[:t] - left[:t]).sum() / left.sum(), macs[t + 1 :].sum() / left.sum()
    return np.array([*(f[t] - f.min(0)) / span, *parts, last])


# 14.4: features that are alike become 1
def layer_state(features, macs, left, t, last):
    f, macs, left = (np.asarray(given, np.float64) for given in (features, macs, left))
    span = f.max(0) - f.min(0)
    scaled = np.where(span > 0, (f[t] - f.min(0)) / np.where(span > 0, span, 1), 1)
    parts = (macs[:t] - left[:t]).sum() / macs.sum(), macs[t + 1 :].sum() / macs.sum()
    return np.array([*scaled, *parts, last])


# 14.5: above a threshold, which equal rewards pass together
def tpe_split(rewards, fraction=0.25):
    rewards = np.asarray(rewards, float)
    y = np.sort(rewards)[::-1][math.ceil(fraction * len(rewards)) - 1]
    return np.flatnonzero(rewards >= y), np.flatnonzero(rewards < y)


# 14.5: lists
def tpe_split(rewards, fraction=0.25):
    order = sorted(range(len(rewards)), key=lambda i: (-rewards[i], i))
    count = math.ceil(fraction * len(rewards))
    return sorted(order[:count]), sorted(order[count:])


# 14.5: the first ones
def tpe_split(rewards, fraction=0.25):
    count = math.ceil(fraction * len(rewards))
    return np.arange(count), np.arange(count, len(rewards))


# 14.6: only above 1 + eps
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    log_p, old, a = (np.asarray(given, np.float64) for given in (log_p, log_p_old, advantages))
    r = np.exp(log_p - old)
    held = np.minimum(r, 1 + eps) * a
    return float(np.minimum(r * a, held).mean()), np.where(held < r * a, 0.0, r * a) / len(r)


# 14.6: probabilities where logarithms are given
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    log_p, old, a = (np.asarray(given, np.float64) + 1e-300 for given in (log_p, log_p_old, advantages))
    r = 1 + log_p - old
    free, held = r * a, np.clip(r, 1 - eps, 1 + eps) * a
    return float(np.minimum(free, held).mean()), np.where(held < free, 0.0, free) / len(r)


# 14.6: the objective alone
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    log_p, old, a = (np.asarray(given, np.float64) for given in (log_p, log_p_old, advantages))
    r = np.exp(log_p - old)
    return float(np.minimum(r * a, np.clip(r, 1 - eps, 1 + eps) * a).mean())


# 14.7: the mean of the nearest
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    X, y, X_new = (np.asarray(given, np.float64) for given in (X, y, X_new))
    k = np.exp(-((X_new[:, None] - X[None]) ** 2).sum(2) / (2 * length**2))
    return k @ y / np.maximum(k.sum(1), 1e-300), 1 - k.max(1)


# 14.7: without the inverse
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    X, y, X_new = (np.asarray(given, np.float64) for given in (X, y, X_new))
    k = np.exp(-((X_new[:, None] - X[None]) ** 2).sum(2) / (2 * length**2))
    return k @ y, np.maximum(1 - (k * k).sum(1), 0)


# 14.7: the absolute differences
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    X, y, X_new = (np.asarray(given, np.float64) for given in (X, y, X_new))

    def k(a, b):
        return np.exp(-np.abs(a[:, None] - b[None]).sum(2) / (2 * length**2))

    K, K_new = k(X, X) + noise * np.eye(len(X)), k(X_new, X)
    variance = 1 - (K_new * np.linalg.solve(K, K_new.T).T).sum(1)
    return K_new @ np.linalg.solve(K, y), np.maximum(variance, 0)
