"""Batch norm and sign of a channel as one threshold: no multiplication is left between two layers of signs.

    sign(gamma (s - mean) / sqrt(var + eps) + beta)  =  +1 where (s >= T) ^ flip, else -1

A batch norm rises or falls with s, so its sign changes once: gamma > 0 at T = mean - beta sqrt(var + eps) / gamma,
gamma < 0 the other way about (`flip`), and gamma = 0 never. The sign of 0 is +1: for a batch norm that is exactly 0 at
an integer s, that s is on the side of +1.

    fold_threshold   the formula, in float64: for numbers without rounding
    find_threshold   by bisection, for any function of one number that rises or falls: a batch norm with all the
                     roundings of its float32. What it finds is exact by construction
"""

import numpy as np

from lightnn.exercise import exercise


@exercise("09.11")
def fold_threshold(gamma, beta, mean, var, eps):
    """(T, flip), int64 (C,) and bool (C,): for each channel and every integer s

        gamma (s - mean) / sqrt(var + eps) + beta >= 0

    exactly where (s >= T) ^ flip. With t = mean - beta sqrt(var + eps) / gamma, computed in float64:

        gamma > 0    T = ceil(t),         flip False
        gamma < 0    T = floor(t) + 1,    flip True
        gamma = 0    T = -2^31,           flip is beta < 0

    So s = t itself, where the batch norm is 0, gives +1; and where gamma is 0, every s gives the sign of beta. T is
    clipped to -2^31 .. 2^31 - 1, which no sum of a layer reaches. gamma, beta, mean, var: float arrays (C,), where
    var >= 0; eps: a number > 0.
    """
    gamma, beta, mean, var = (np.asarray(a, np.float64) for a in (gamma, beta, mean, var))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = mean - beta * np.sqrt(var + eps) / gamma
    T = np.select([gamma > 0, gamma < 0], [np.ceil(t), np.floor(t) + 1], -(2.0**31))
    return np.clip(T, -(2.0**31), 2.0**31 - 1).astype(np.int64), np.where(gamma == 0, beta < 0, gamma < 0)


def find_threshold(holds, low, high, channels):
    """(T, flip), int64 (C,) and bool (C,), for C = `channels` functions that rise or fall; for each s from low to high

        holds(s)[c]    exactly where    (s >= T[c]) ^ flip[c]

    holds takes an int64 array (C,), a number for each channel, and gives bools (C,). Those of one channel change at
    most once. T is from low to high. A function that holds everywhere, or nowhere (flip), has T = low.
    """
    first, last = (np.full(channels, end, np.int64) for end in (low, high))
    at_first, at_last = holds(first), holds(last)
    while (last - first > 1).any():  # holds(first) differs from holds(last), unless it never changes
        middle = first + (last - first) // 2
        left = holds(middle) == at_first
        first, last = np.where(left, middle, first), np.where(left, last, middle)
    constant = at_first == at_last
    return np.where(constant, low, last), np.where(constant, ~at_first, at_first)


def float_of_order(order):
    """The float32 numbers (C,) of int64 (C,), which count them from the least, -MOST, to the largest, MOST."""
    bits = np.abs(order).astype(np.int32).view(np.float32)
    return np.where(order < 0, -bits, bits)


MOST = int(np.finfo(np.float32).max.view(np.int32))  # the order of the largest float32
