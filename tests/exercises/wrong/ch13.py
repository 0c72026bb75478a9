"""Wrong solutions of chapter 13, beside the named mistakes of the sheet."""

import math

import numpy as np


# 13.1: one factor for each
def macs_factor(d, w, r):
    if min(d, w, r) <= 0 or not np.isfinite([d, w, r]).all():
        raise ValueError("numbers > 0")
    return float(d * w * r)


# 13.1: w cubed, as if the window grew
def macs_factor(d, w, r):
    if min(d, w, r) <= 0 or not np.isfinite([d, w, r]).all():
        raise ValueError("numbers > 0")
    return float(d * w**3 * r**2)


# 13.1: infinity is let through
def macs_factor(d, w, r):
    if not (d > 0 and w > 0 and r > 0):
        raise ValueError("numbers > 0")
    return float(d * w**2 * r**2)


# 13.2: squares where MACs have them
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not math.isfinite(phi) or not all(1 <= b < math.inf for b in (alpha, beta, gamma)):
        raise ValueError("bases")
    return float(alpha) ** phi, float(beta) ** (2 * phi), float(gamma) ** (2 * phi)


# 13.2: a list
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not math.isfinite(phi) or not all(1 <= b < math.inf for b in (alpha, beta, gamma)):
        raise ValueError("bases")
    return [math.pow(b, phi) for b in (alpha, beta, gamma)]


# 13.2: the exponents of all are alpha's
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not math.isfinite(phi) or not all(1 <= b < math.inf for b in (alpha, beta, gamma)):
        raise ValueError("bases")
    return (float(alpha) ** phi,) * 3


# 13.2: a negative phi is refused
def compound_scale(phi, alpha=1.2, beta=1.1, gamma=1.15):
    if not math.isfinite(phi) or phi < 0 or not all(1 <= b < math.inf for b in (alpha, beta, gamma)):
        raise ValueError("bases")
    return float(alpha) ** phi, float(beta) ** phi, float(gamma) ** phi


# 13.3: the float is cut off first
def round_filters(channels, width_mult=1.0, divisor=8):
    c = int(channels * width_mult)
    near = max(divisor, (c + divisor // 2) // divisor * divisor)
    return near + divisor if near < 0.9 * c else near


# 13.3: at most 0.9 of it
def round_filters(channels, width_mult=1.0, divisor=8):
    c = channels * width_mult
    near = max(divisor, int(c + divisor / 2) // divisor * divisor)
    return near - divisor if near > 1.1 * c and near > divisor else near


# 13.3: a float
def round_filters(channels, width_mult=1.0, divisor=8):
    c = channels * width_mult
    near = max(divisor, (c + divisor / 2) // divisor * divisor)
    return float(near + divisor if near < 0.9 * c else near)


# 13.3: at least 8, whatever the divisor
def round_filters(channels, width_mult=1.0, divisor=8):
    c = channels * width_mult
    near = max(8, int(c + divisor / 2) // divisor * divisor)
    return near + divisor if near < 0.9 * c else near


# 13.4: a softmax over the channels
def squeeze_excitation(x, w1, b1, w2, b2):
    t = x.mean((2, 3)) @ w1.T + b1
    t = t / (1 + np.exp(-t)) @ np.eye(len(b1)) @ w2.T + b2 if len(b1) == 1 else (t / (1 + np.exp(-t))) @ w2.T + b2
    g = np.exp(t) / np.exp(t).sum(1, keepdims=True)
    return x * g[:, :, None, None]


# 13.4: a mean over the channels
def squeeze_excitation(x, w1, b1, w2, b2):
    t = x.mean((2, 3)) @ w1.T + b1
    t = (t / (1 + np.exp(-t))) @ w2.T + b2
    return x / (1 + np.exp(-t.mean(1)))[:, None, None, None]


# 13.4: x is changed
def squeeze_excitation(x, w1, b1, w2, b2):
    t = x.mean((2, 3)) @ w1.T + b1
    t = (t / (1 + np.exp(-t))) @ w2.T + b2
    x *= (1 / (1 + np.exp(-t)))[:, :, None, None]
    return x


# 13.5: the branch in inference
def residual_with_stochastic_depth(x, branch, drawn, p):
    return x + branch * x.dtype.type(1 - p)


# 13.5: scaled in the other direction
def residual_with_stochastic_depth(x, branch, drawn, p):
    kept = (drawn >= p).reshape(-1, *[1] * (x.ndim - 1))
    return x + branch * (kept * x.dtype.type(1 - p))


# 13.5: x is scaled, too
def residual_with_stochastic_depth(x, branch, drawn, p):
    kept = (drawn >= p).reshape(-1, *[1] * (x.ndim - 1))
    scale = x.dtype.type(1 / (1 - p) if p < 1 else 0)
    return np.where(kept, (x + branch) * scale, x)


# 13.5: x is changed
def residual_with_stochastic_depth(x, branch, drawn, p):
    kept = (drawn >= p).reshape(-1, *[1] * (x.ndim - 1))
    x += branch * (kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))
    return x


# 13.6: the sets of the k largest
def agreement(floats, others, k=5):
    a, b = np.asarray(floats, float), np.asarray(others, float)
    if a.ndim != 2 or a.shape != b.shape or not a.size or not isinstance(k, int) or not 1 <= k <= a.shape[1]:
        raise ValueError("shapes")
    log_p, log_q = (z - np.logaddexp.reduce(z, 1)[:, None] for z in (a, b))
    sets = [len(set(np.argsort(-u)[:k]) & set(np.argsort(-v)[:k])) / k for u, v in zip(a, b)]
    same = float(np.mean(a.argmax(1) == b.argmax(1)))
    return same, float(np.mean(sets)), float((np.exp(log_p) * (log_p - log_q)).sum(1).mean())


# 13.6: KL of the outputs as they are
def agreement(floats, others, k=5):
    a, b = np.asarray(floats, float), np.asarray(others, float)
    if a.ndim != 2 or a.shape != b.shape or not a.size or not isinstance(k, int) or not 1 <= k <= a.shape[1]:
        raise ValueError("shapes")
    c = a.argmax(1)
    among = (b > b[np.arange(len(b)), c][:, None]).sum(1) < k
    return float(np.mean(c == b.argmax(1))), float(among.mean()), float(((a - b) ** 2).mean())


# 13.6: NumPy's floats
def agreement(floats, others, k=5):
    a, b = np.asarray(floats, float), np.asarray(others, float)
    if a.ndim != 2 or a.shape != b.shape or not a.size or not isinstance(k, int) or not 1 <= k <= a.shape[1]:
        raise ValueError("shapes")
    c = a.argmax(1)
    among = (b > b[np.arange(len(b)), c][:, None]).sum(1) < k
    p, q = (np.exp(z - z.max(1, keepdims=True)) for z in (a, b))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    return [np.mean(c == b.argmax(1)), among.mean(), (p * np.log(p / q)).sum(1).mean()]
