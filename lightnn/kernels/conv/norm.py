"""Batch normalization and its gradients (Ioffe & Szegedy 2015, arXiv:1502.03167, Algorithm 1 and section 3).

What it computes, for each channel over the M = N*H*W numbers of x (N, C, H, W) or the M = N numbers of x (N, C):

    mean = sum x / M,   var = sum (x - mean)^2 / M,   y = gamma * (x - mean) / sqrt(var + eps) + beta
    xhat = (x - mean) / sqrt(var + eps),   dbeta = sum dy,   dgamma = sum dy * xhat
    dx = gamma / sqrt(var + eps) * (dy - dbeta / M - xhat * dgamma / M)

How memory is walked. Channel by channel, backward in blocks of channels that fit into the second-level cache: one pass
takes both sums, a second one writes y (or dx), when the planes are mostly still there. In a block the images are the
outer loop, so planes of a few numbers follow each other in memory. (N, C) is transposed first, so that a channel is
contiguous.

Why it is fast. Two passes, the fewest possible, where the formulas in NumPy take about six. The sums are of x - x[0],
with which one pass is as accurate as two (Chan, Golub & LeVeque 1983), in float64 and in vectors. Arithmetic intensity
about 6 flops to 12 bytes: the speed of memory is the bound.

Threads take channels, so no sum is split and the result does not depend on their number.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, run

BLOCK = 1 << 16  # numbers of x in a block of channels
_REORDER = {"reassoc", "contract", "nsz"}  # lets a sum be taken in vectors; NaN and infinity still count


class Statistics(NamedTuple):
    """Of each channel, float64; eps is added to the variance."""

    mean: np.ndarray
    var: np.ndarray
    eps: float


class Gradients(NamedTuple):
    x: np.ndarray
    gamma: np.ndarray
    beta: np.ndarray


def forward(x, gamma, beta, eps):
    """(y, mean, var) with the statistics of x itself; var is biased; both are float64 (C,)."""
    x3 = _channels(x)
    y = np.empty_like(x3)
    found = Statistics(np.zeros(x.shape[1]), np.zeros(x.shape[1]), eps)
    run(_forward_channels, _forward_parallel, (x3, gamma, beta, found, y), x.shape[1], 2 * x.size)
    return _restore(y, x.shape), found.mean, found.var


def forward_eval(x, gamma, beta, mean, var, eps):
    """y with given statistics."""
    x3 = _channels(x)
    y = np.empty_like(x3)
    run(_eval_channels, _eval_parallel, (x3, gamma, beta, Statistics(mean, var, eps), y), x.shape[1], 2 * x.size)
    return _restore(y, x.shape)


def backward(dy, x, gamma, mean, var, eps):
    """(dx, dgamma, dbeta) of `forward`."""
    return _backward(dy, x, gamma, mean, var, eps, True)


def backward_eval(dy, x, gamma, mean, var, eps):
    """(dx, dgamma, dbeta) of `forward_eval`: the statistics do not depend on x."""
    return _backward(dy, x, gamma, mean, var, eps, False)


def _backward(dy, x, gamma, mean, var, eps, own_statistics):
    x3, dy3 = _channels(x), _channels(dy)
    found = Gradients(np.empty_like(x3), np.zeros(x.shape[1], x.dtype), np.zeros(x.shape[1], x.dtype))
    args = x3, dy3, gamma, Statistics(mean, var, eps), own_statistics, found
    run(_backward_channels, _backward_parallel, args, x.shape[1], 2 * x.size)
    return _restore(found.x, x.shape), found.gamma, found.beta


def _channels(x):
    """(N, C, H, W) as (N, C, H*W) and (N, C) as (1, C, N), contiguous."""
    if x.size == x.shape[0] * x.shape[1]:
        return np.ascontiguousarray(x.reshape(x.shape[:2]).T)[None]
    return np.ascontiguousarray(x).reshape(*x.shape[:2], -1)


def _restore(y, shape):
    return np.ascontiguousarray(y[0].T).reshape(shape) if y.size == shape[0] * shape[1] else y.reshape(shape)


@numba.njit(cache=True, nogil=True, fastmath=_REORDER)
def _sums(x, start):
    """sum (x - start) and sum (x - start)^2."""
    first = second = 0.0
    for i in range(len(x)):
        d = np.float64(x[i]) - start
        first += d
        second += d * d
    return first, second


@numba.njit(cache=True, nogil=True, fastmath=_REORDER)
def _dot_sums(dy, x, mean, first, last):
    """sum dy and sum dy * (x - mean) of the channels first .. last-1, float64."""
    total, dot = np.zeros(last - first), np.zeros(last - first)
    n, _, size = x.shape
    for image in range(n):
        for c in range(first, last):
            one = two = 0.0
            for i in range(size):
                d = np.float64(dy[image, c, i])
                one += d
                two += d * (np.float64(x[image, c, i]) - mean[c])
            total[c - first] += one
            dot[c - first] += two
    return total, dot


@numba.njit(cache=True, nogil=True)
def _normalize(y, x, mean, scale, beta):
    for i in range(len(x)):
        y[i] = (x[i] - mean) * scale + beta


@numba.njit(cache=True, nogil=True)
def _forward_channels(x, gamma, beta, found, y, first, last):
    mean, var, eps = found
    n, _, size = x.shape
    real = x.dtype.type
    for c in range(first, last):
        if n * size == 0:
            continue
        start = np.float64(x[0, c, 0])
        total = squares = 0.0
        for image in range(n):
            one, two = _sums(x[image, c], start)
            total += one
            squares += two
        shift = total / (n * size)
        mean[c] = start + shift
        var[c] = max(squares / (n * size) - shift * shift, 0.0)
        scale = real(gamma[c] / np.sqrt(var[c] + eps))
        for image in range(n):
            _normalize(y[image, c], x[image, c], real(mean[c]), scale, real(beta[c]))


@parallel_njit
def _forward_parallel(x, gamma, beta, found, y, pieces, parts):
    for part in numba.prange(parts):
        _forward_channels(x, gamma, beta, found, y, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _eval_channels(x, gamma, beta, given, y, first, last):
    mean, var, eps = given
    real = x.dtype.type
    for image in range(len(x)):
        for c in range(first, last):
            scale = real(gamma[c] / np.sqrt(var[c] + eps))
            _normalize(y[image, c], x[image, c], real(mean[c]), scale, real(beta[c]))


@parallel_njit
def _eval_parallel(x, gamma, beta, given, y, pieces, parts):
    for part in numba.prange(parts):
        _eval_channels(x, gamma, beta, given, y, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _input_gradient(dx, dy, x, mean, scale, slope, shift, first):
    """dx = scale dy + slope (x - mean) + shift of the channels first, first + 1, ...: one number of each a channel."""
    n, _, size = x.shape
    for image in range(n):
        for k in range(len(scale)):
            c, a, b, d, m = first + k, scale[k], slope[k], shift[k], mean[k]
            for i in range(size):
                dx[image, c, i] = a * dy[image, c, i] + (b * (x[image, c, i] - m) + d)


@numba.njit(cache=True, nogil=True)
def _scaled(dx, dy, scale, first):
    n, _, size = dy.shape
    for image in range(n):
        for k in range(len(scale)):
            for i in range(size):
                dx[image, first + k, i] = scale[k] * dy[image, first + k, i]


@numba.njit(cache=True, nogil=True)
def _backward_channels(x, dy, gamma, given, own_statistics, found, first, last):
    (mean, var, eps), (dx, dgamma, dbeta) = given, found
    numbers = max(len(x) * x.shape[2], 1)  # of a channel
    width = max(BLOCK // numbers, 1)
    for start in range(first, last, width):
        stop = min(start + width, last)
        total, dot = _dot_sums(dy, x, mean, start, stop)
        inverse = 1 / np.sqrt(var[start:stop] + eps)
        dgamma[start:stop] = dot * inverse
        dbeta[start:stop] = total
        scale = gamma[start:stop] * inverse
        slope, shift = -scale / numbers * dot * inverse * inverse, -scale / numbers * total
        if own_statistics:
            centre, scale = mean[start:stop].astype(x.dtype), scale.astype(x.dtype)
            _input_gradient(dx, dy, x, centre, scale, slope.astype(x.dtype), shift.astype(x.dtype), start)
        else:  # x has no part in it, not even a NaN
            _scaled(dx, dy, scale.astype(x.dtype), start)


@parallel_njit
def _backward_parallel(x, dy, gamma, given, own_statistics, found, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _backward_channels(x, dy, gamma, given, own_statistics, found, first, last)
