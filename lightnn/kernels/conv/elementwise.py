"""Activations that are a few comparisons a number, and channel shuffle: kernels where NumPy would pass over memory
several times.

What it computes.
    clamp          y = min(max(x, low), high)                 ReLU: (0, none), ReLU6: (0, 6), hardtanh: (low, high)
    hardswish      y = x * min(max(x + 3, 0), 6) / 6          (Howard 2019, arXiv:1905.02244, section 5.2)
    channel_shuffle  y[n, j*G + i] = x[n, i*C/G + j]          (Zhang 2018, arXiv:1707.01083, section 3.1)
and their gradients. At a kink the gradient is PyTorch's: 0 for clamp. NaN stays NaN.

How memory is walked. Straight through, once; a shuffle copies whole planes.

Why it is fast. dy * ((x > low) & (x < high)) in NumPy makes three arrays and reads them again; here nothing is written
but the result. Arithmetic intensity at most 5 flops to 12 bytes: the speed of memory is the bound.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, parts_for, run
from lightnn.kernels.vector import simd

NO_BOUND = np.nan  # no number is above or below it, infinity included


def relu(x):
    return clamp(x, 0.0, NO_BOUND)


def relu_backward(dy, x):
    return clamp_backward(dy, x, 0.0, NO_BOUND)


def relu6(x):
    return clamp(x, 0.0, 6.0)


def relu6_backward(dy, x):
    return clamp_backward(dy, x, 0.0, 6.0)


def clamp(x, low, high):
    """y; this is hardtanh."""
    return _each(_clamp, _clamp_parallel, (x,), x.dtype.type(low), x.dtype.type(high))


def clamp_backward(dy, x, low, high):
    """dx = dy where low < x < high, else 0."""
    return _each(_clamp_back, _clamp_back_parallel, (dy, x), x.dtype.type(low), x.dtype.type(high))


def hardswish(x):
    return _each(_hardswish, _hardswish_parallel, (x,))


def hardswish_backward(dy, x):
    """dx = dy * (0 below -3, x/3 + 1/2 up to 3, 1 above)."""
    return _each(_hardswish_back, _hardswish_back_parallel, (dy, x))


def channel_shuffle(x, groups):
    """x (N, C, H, W). Its gradient is channel_shuffle(dy, C // groups)."""
    n, c, height, width = x.shape
    y = np.empty(x.shape, x.dtype)
    args = (np.ascontiguousarray(x).reshape(-1), y.reshape(-1), height * width, c, groups)
    run(_shuffle_planes, _shuffle_parallel, args, n * c, x.size)
    return y


def _each(serial, parallel, arrays, *options):
    y = np.empty(arrays[0].shape, arrays[0].dtype)
    args = (*(np.ascontiguousarray(a).reshape(-1) for a in arrays), y.reshape(-1), *options)
    parts = parts_for(y.size, y.size // 8)  # a comparison is a fraction of a multiply-add from memory
    if parts == 1:
        serial(*args)
    else:
        parallel(*args, parts)
    return y


@numba.njit(cache=True, nogil=True)
def _clamp(x, y, low, high):
    for i in range(len(y)):
        v = x[i]
        v = low if v < low else v
        y[i] = high if v > high else v


@numba.njit(cache=True, nogil=True)
def _clamp_back(dy, x, dx, low, high):
    for i in range(len(dx)):
        dx[i] = 0 if (x[i] <= low) | (x[i] >= high) else dy[i]


@numba.njit(cache=True, nogil=True)
def _hardswish(x, y):
    zero, three, six = x.dtype.type(0), x.dtype.type(3), x.dtype.type(6)
    sixth = x.dtype.type(1 / 6)
    for i in range(len(y)):
        gate = x[i] + three
        gate = zero if gate < zero else gate
        gate = six if gate > six else gate
        y[i] = x[i] * gate * sixth


@numba.njit(cache=True, nogil=True)
def _hardswish_back(dy, x, dx):
    three, third, half = x.dtype.type(3), x.dtype.type(1 / 3), x.dtype.type(0.5)
    for i in range(len(dx)):
        slope = dy[i] * (x[i] * third + half)
        slope = dx.dtype.type(0) if x[i] <= -three else slope
        dx[i] = dy[i] if x[i] >= three else slope


@numba.njit(cache=True, nogil=True)
def _shuffle_planes(x, y, size, channels, groups, first, last):
    each = channels // groups
    for plane in range(first, last):
        image, c = plane // channels, plane % channels
        simd.move(y, plane * size, x, (image * channels + c % groups * each + c // groups) * size, size)


@parallel_njit
def _shuffle_parallel(x, y, size, channels, groups, pieces, parts):
    for part in numba.prange(parts):
        _shuffle_planes(x, y, size, channels, groups, part * pieces // parts, (part + 1) * pieces // parts)


@parallel_njit
def _clamp_parallel(x, y, low, high, parts):
    for part in numba.prange(parts):
        first, last = part * len(y) // parts, (part + 1) * len(y) // parts
        _clamp(x[first:last], y[first:last], low, high)


@parallel_njit
def _clamp_back_parallel(dy, x, dx, low, high, parts):
    for part in numba.prange(parts):
        first, last = part * len(dx) // parts, (part + 1) * len(dx) // parts
        _clamp_back(dy[first:last], x[first:last], dx[first:last], low, high)


@parallel_njit
def _hardswish_parallel(x, y, parts):
    for part in numba.prange(parts):
        first, last = part * len(y) // parts, (part + 1) * len(y) // parts
        _hardswish(x[first:last], y[first:last])


@parallel_njit
def _hardswish_back_parallel(dy, x, dx, parts):
    for part in numba.prange(parts):
        first, last = part * len(dx) // parts, (part + 1) * len(dx) // parts
        _hardswish_back(dy[first:last], x[first:last], dx[first:last])
