"""Wrong solutions of chapter 07, beside the named mistakes of the sheet."""

import numpy as np

from lightnn import options
from lightnn.compress.transforms.clustering import kmeans
from lightnn.declare import same
from lightnn.functional.activation import logistic
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.functional.soft import check_levels, checked, hard_codes, times
from lightnn.tensor import op


def moved(b, Y, edge):
    Y = np.asarray(Y)
    if Y[0] < 0 < Y[-1]:
        b = np.where(Y[1:] <= 0, np.minimum(b, -edge), np.maximum(b, edge))
        b[[np.searchsorted(Y, 0, "left") - 1, np.searchsorted(Y, 0, "right") - 1]] = -edge, edge
    return b


def soft(where, x, alpha, beta, b, Y, T):
    Y, alpha, beta = checked(where, x, alpha, beta, b, Y)
    T = options.number(f"{where}: T", T, at_least=LEAST_SCALE, at_most=MOST_SCALE)
    found = [logistic(times(T, times(beta, x) - b_i)) for b_i in b]
    s = np.diff(Y)
    slopes = [s_i * q for s_i, (_, q) in zip(s, found)]
    return alpha, beta, T, Y[0] + sum(s_i * p for s_i, (p, _) in zip(s, found)), slopes


# 07.1: the sum of the magnitudes of the levels
def step_heights(Y):
    s = np.diff(np.asarray(Y, np.float64))
    return s, float(np.abs(Y).sum() / 2)


# 07.1: without the last step
def step_heights(Y):
    s = np.diff(np.asarray(Y, np.float64))[:-1]
    return s, float(s.sum() / 2)


# 07.1: a list
def step_heights(Y):
    s = [float(b - a) for a, b in zip(Y, Y[1:])]
    return s, sum(s) / 2


# 07.2: only epoch 0 is the exception
def rising_temperature(epoch, step):
    return step if epoch == 0 else step * epoch


# 07.2: epochs count from 0
def rising_temperature(epoch, step):
    return step * (epoch + 1)


# 07.2: capped
def rising_temperature(epoch, step):
    return min(step * max(epoch, 1), 100)


# 07.3: the nearest level
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    Y, alpha, beta = checked("hard_quantize", x, alpha, beta, b, Y)
    level = Y[np.abs(times(beta, x)[..., None] - Y).argmin(-1)]
    zero = np.zeros
    return (
        alpha * level,
        lambda dy: zero(x.shape),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: zero(1),
        lambda dy: zero(b.shape),
    )


# 07.3: every error is a ValueError
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    try:
        Y, alpha, beta = checked("hard_quantize", x, alpha, beta, b, Y)
    except TypeError as error:
        raise ValueError from error
    level = np.where(np.isnan(x), x, Y[hard_codes(x, beta, b)])
    zero = np.zeros
    return (
        alpha * level,
        lambda dy: zero(x.shape),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: zero(1),
        lambda dy: zero(b.shape),
    )


# 07.3: alpha is not clipped
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    Y, _, beta = checked("hard_quantize", x, alpha, beta, b, Y)
    level = np.where(np.isnan(x), x, Y[hard_codes(x, beta, b)])
    zero = np.zeros
    return (
        alpha * level,
        lambda dy: zero(x.shape),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: zero(1),
        lambda dy: zero(b.shape),
    )


# 07.4: computed in w's dtype
def first_scales(w, Y):
    w = np.asarray(w)
    p, q = float(np.abs(Y).max()), np.abs(w).max(initial=0)
    q = np.clip(q, 2.0**-100, 2.0**100) if q > 0 else p
    beta = 5 * w.dtype.type(p) / (4 * w.dtype.type(q))
    return float(beta), float(1 / beta)


# 07.4: p is the number of levels
def first_scales(w, Y):
    q = np.abs(np.asarray(w, np.float64)).max(initial=0)
    q = float(np.clip(q, 2.0**-100, 2.0**100)) if q > 0 else float(np.abs(Y).max())
    beta = 5 * len(Y) / (4 * q)
    return beta, 1 / beta


# 07.4: an empty w raises
def first_scales(w, Y):
    q = np.abs(np.asarray(w, np.float64)).max()
    q = float(np.clip(q, 2.0**-100, 2.0**100)) if q > 0 else float(np.abs(Y).max())
    beta = 5 * float(np.abs(Y).max()) / (4 * q)
    return beta, 1 / beta


# 07.5: 0.5 in place of 0.05
def kmeans_biases(v, Y):
    Y = check_levels("Y", Y)
    c, _ = kmeans(np.ravel(v), len(Y))
    return moved((c[1:] + c[:-1]) / 2, Y, 0.5 if 0 in Y else 0.0)


# 07.5: any Y is taken
def kmeans_biases(v, Y):
    c, _ = kmeans(np.ravel(v), len(Y))
    return moved((c[1:] + c[:-1]) / 2, Y, 0.05 if 0 in Y else 0.0)


# 07.5: evenly spaced over the range of v
def kmeans_biases(v, Y):
    Y = check_levels("Y", Y)
    c = np.linspace(v.min(), v.max(), len(Y))
    return moved((c[1:] + c[:-1]) / 2, Y, 0.05 if 0 in Y else 0.0)


# 07.6: the gradients of the hard form
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    alpha, beta, T, level, slopes = soft("soft_quantize", x, alpha, beta, b, Y, T)
    zero = np.zeros
    return (
        alpha * level,
        lambda dy: zero(x.shape),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: zero(1),
        lambda dy: zero(b.shape),
    )


# 07.6: biases are frozen, so they have no gradient
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    alpha, beta, T, level, slopes = soft("soft_quantize", x, alpha, beta, b, Y, T)
    slope = sum(slopes)
    return (
        alpha * level,
        lambda dy: dy * (alpha * beta * T * slope),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: np.array([alpha * T * (dy * x * slope).sum()]),
        lambda dy: np.zeros(b.shape),
    )


# 07.6: the sigmoid by its formula, which overflows
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    Y, alpha, beta = checked("soft_quantize", x, alpha, beta, b, Y)
    T = options.number("T", T, at_least=LEAST_SCALE, at_most=MOST_SCALE)
    s = np.diff(Y)
    with np.errstate(all="ignore"):
        z = [np.exp(-x.dtype.type(T) * (beta * x - b_i)) for b_i in b]
        p = [1 / (1 + e) for e in z]
        slopes = [s_i * e * p_i * p_i for s_i, e, p_i in zip(s, z, p)]
        level, slope = Y[0] + sum(s_i * p_i for s_i, p_i in zip(s, p)), sum(slopes)
    return (
        alpha * level,
        lambda dy: dy * (alpha * beta * T * slope),
        lambda dy: np.array([(dy * level).sum()]),
        lambda dy: np.array([alpha * T * (dy * x * slope).sum()]),
        lambda dy: np.array([-alpha * T * (dy * one).sum() for one in slopes]),
    )
