"""Right solutions of chapter 07, each in another style than the reference."""

import math

import numpy as np

from lightnn.compress.transforms.clustering import kmeans
from lightnn.declare import same
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op


def held(a, low, high):
    return np.minimum(np.maximum(a, low), high)[0]


def ask(x, alpha, beta, b, Y):
    """The errors that 07.3 and 07.6 state."""
    if x.dtype not in (np.float32, np.float64) or {a.dtype for a in (alpha, beta, b)} != {x.dtype}:
        raise TypeError("dtype")
    if len(Y) < 2 or any(not isinstance(y, int) for y in Y) or any(u >= v for u, v in zip(Y, Y[1:])):
        raise ValueError("levels")
    if alpha.shape != (1,) or beta.shape != (1,) or b.shape != (len(Y) - 1,):
        raise ValueError("shapes")


def bad(Y):
    if len(Y) < 2 or any(not isinstance(y, int) for y in Y) or any(u >= v for u, v in zip(Y, Y[1:])):
        raise ValueError("levels")


# 07.1: slices
def step_heights(Y):
    Y = np.array(Y, float)
    return Y[1:] - Y[:-1], float(Y[-1] - Y[0]) / 2


# 07.1: one after the other
def step_heights(Y):
    s = [float(after - before) for before, after in zip(list(Y)[:-1], list(Y)[1:])]
    return np.array(s), 0.5 * sum(s)


# 07.2: two cases
def rising_temperature(epoch, step):
    if epoch < 1:
        return step
    return epoch * step


# 07.2: one expression
def rising_temperature(epoch, step):
    return step * (epoch if epoch > 0 else 1)


# 07.3: the sum of the equation
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    ask(x, alpha, beta, b, Y)
    a = held(alpha, LEAST_SCALE, MOST_SCALE)
    with np.errstate(over="ignore", invalid="ignore"):
        v = held(beta, LEAST_SCALE, 1 / LEAST_SCALE) * x
    level = Y[0] + sum((Y[i + 1] - Y[i]) * (v > b[i]).astype(x.dtype) for i in range(len(b)))
    level = np.where(np.isnan(x), x, level).astype(x.dtype)
    return (
        (a * level).astype(x.dtype),
        lambda dy: 0 * dy,
        lambda dy: np.sum(dy * level, keepdims=True).reshape(1),
        lambda dy: np.zeros(1),
        lambda dy: np.zeros(len(b)),
    )


# 07.3: one number after the other
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    ask(x, alpha, beta, b, Y)
    a, level = held(alpha, LEAST_SCALE, MOST_SCALE), np.empty_like(x)
    with np.errstate(over="ignore"):
        v = x * held(beta, LEAST_SCALE, 1 / LEAST_SCALE)
    for i in np.ndindex(x.shape):
        level[i] = x[i] if math.isnan(x[i]) else Y[sum(v[i] > step for step in b)]
    zero = np.zeros_like
    return (
        a * level,
        lambda dy: zero(x),
        lambda dy: (dy * level).sum().reshape(1),
        lambda dy: zero(beta),
        lambda dy: zero(b),
    )


# 07.4: plain Python
def first_scales(w, Y):
    largest = max((abs(float(v)) for v in np.ravel(w)), default=0.0)
    p = float(max(abs(y) for y in Y))
    q = min(max(largest, 2.0**-100), 2.0**100) if largest else p
    return 1.25 * p / q, 0.8 * q / p


# 07.4: ends
def first_scales(w, Y):
    w = np.asarray(w).astype(np.float64).ravel()
    p, q = float(max(max(Y), -min(Y))), max(w.max(), -w.min()) if w.size else 0.0
    q = float(min(max(q, 2.0**-100), 2.0**100)) if q > 0 else p
    alpha = 4 * q / (5 * p)
    return 5 * p / (4 * q), alpha


# 07.5: one step after the other
def kmeans_biases(v, Y):
    bad(Y)
    c = kmeans(v.ravel(), len(Y))[0]
    b = []
    for i in range(len(Y) - 1):
        at = (c[i] + c[i + 1]) / 2
        if Y[0] < 0 < Y[-1]:
            edge = 0.05 if 0 in Y else 0.0
            if Y[i] < 0 < Y[i + 1]:
                at = 0.0
            elif Y[i + 1] <= 0:
                at = -edge if Y[i + 1] == 0 else min(at, -edge)
            else:
                at = edge if Y[i] == 0 else max(at, edge)
        b.append(at)
    return np.array(b)


# 07.5: clipping between bounds
def kmeans_biases(v, Y):
    bad(Y)
    Y = np.array(Y)
    c, _ = kmeans(np.reshape(v, -1), Y.size)
    b = c[:-1] + np.diff(c) / 2
    if Y[0] >= 0 or Y[-1] <= 0:
        return b
    edge = 0.05 * (0 in Y)
    ends_low, starts_high = Y[1:] <= 0, Y[:-1] >= 0
    b[ends_low] = np.clip(b[ends_low], None, -edge)
    b[starts_high] = np.clip(b[starts_high], edge, None)
    b[Y[1:] == 0], b[Y[:-1] == 0] = -edge, edge
    b[~ends_low & ~starts_high] = 0
    return b


# 07.6: all steps at once
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    ask(x, alpha, beta, b, Y)
    if not LEAST_SCALE <= T <= MOST_SCALE:
        raise ValueError("temperature")
    a, k = held(alpha, LEAST_SCALE, MOST_SCALE), held(beta, LEAST_SCALE, 1 / LEAST_SCALE)
    s = np.diff(np.array(Y, x.dtype))
    with np.errstate(over="ignore"):
        u = x.dtype.type(T) * (k * x[..., None] - b)
    z = np.exp(-np.abs(u))
    p, q = np.where(u >= 0, 1 / (1 + z), z / (1 + z)), s * (z / (1 + z) / (1 + z))
    y0, axes = (s * p).sum(-1) + x.dtype.type(Y[0]), tuple(range(x.ndim))
    return (
        a * y0,
        lambda dy: dy * a * k * x.dtype.type(T) * q.sum(-1),
        lambda dy: (dy * y0).sum().reshape(1),
        lambda dy: (dy * x * q.sum(-1)).sum().reshape(1) * a * x.dtype.type(T),
        lambda dy: -(dy[..., None] * q).sum(axes) * a * x.dtype.type(T),
    )


# 07.6: by tanh
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    ask(x, alpha, beta, b, Y)
    if not LEAST_SCALE <= T <= MOST_SCALE:
        raise ValueError("temperature")
    a, k, T = held(alpha, LEAST_SCALE, MOST_SCALE), held(beta, LEAST_SCALE, 1 / LEAST_SCALE), x.dtype.type(T)
    with np.errstate(over="ignore"):
        half = [T * (k * x - b_i) / 2 for b_i in b]
    s = [x.dtype.type(v - u) for u, v in zip(Y, Y[1:])]
    level = sum((s_i * (1 + np.tanh(h)) / 2 for s_i, h in zip(s, half)), np.full_like(x, Y[0]))
    with np.errstate(over="ignore"):
        slopes = [s_i / (2 * np.cosh(h)) ** 2 for s_i, h in zip(s, half)]
    slope = sum(slopes)
    return (
        a * level,
        lambda dy: dy * a * k * T * slope,
        lambda dy: np.array([np.vdot(dy, level)]),
        lambda dy: np.array([np.vdot(dy, x * slope) * a * T]),
        lambda dy: np.array([-np.vdot(dy, one) * a * T for one in slopes]),
    )
