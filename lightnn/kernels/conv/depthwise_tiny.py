"""Depthwise convolution of planes of a few numbers, such as the 2 x 2 ones at the end of a network for 32 x 32 images.

What it computes. The three functions of depthwise.py, from the list of all (output q, pixel p, tap t) that meet:

    y[n, o, q] = b[o] + sum over (q, p, t) of w[o, t] * x[n, c, p],    o = c*m + r

How memory is walked. Channel by channel: the planes of 64 images are read side by side, so that number p of all of them
is one run; the outputs are written back the same way. Nothing is padded.

Why it is fast. For such a plane there is less to compute than to prepare: 16 multiply-adds for 2 x 2, where a padded
buffer and a run of vectors along its rows cost a hundred cycles. Across images every vector is full. Arithmetic
intensity as in depthwise.py.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit

SIDE, FEWEST = 64, 16  # images side by side, and how many are worth it
MOST = 400  # of the pairs of a plane


class Pairs(NamedTuple):
    """The pairs that meet, sorted by `to`: those of number i are start[i] to start[i + 1]."""

    start: np.ndarray
    source: np.ndarray
    tap: np.ndarray
    read: int  # numbers of a plane that is read
    written: int
    taps: int


def suits(n, x_shape, out_shape, kernel, lanes):
    """Whether planes are too small for depthwise_lanes.py (V numbers in and out), images many, and pairs few."""
    small, large = sorted((x_shape[0] * x_shape[1], out_shape[0] * out_shape[1]))
    return n >= FEWEST and 0 < small < lanes and min(large, kernel[0] * kernel[1]) * small <= MOST and large <= MOST


@functools.lru_cache
def pairs(x_shape, out_shape, kernel, stride, top_left, dilation):
    """The Pairs of the correlation, from x to y."""
    q, p, t = _meeting(x_shape, out_shape, kernel, stride, top_left, dilation)
    return _sorted(q, p, t, (x_shape, out_shape), kernel)


@functools.lru_cache
def pairs_back(x_shape, out_shape, kernel, stride, top_left, dilation):
    """The Pairs of the gradient of x, from dy to dx."""
    q, p, t = _meeting(x_shape, out_shape, kernel, stride, top_left, dilation)
    return _sorted(p, q, t, (out_shape, x_shape), kernel)


def _meeting(x_shape, out_shape, kernel, stride, top_left, dilation):
    """(q, p, t) of all pairs: output (i, j) reads pixel (h, w) = (i*sh + k*dh - top, j*sw + l*dw - left) at (k, l)."""
    i, j, k, l = (a.reshape(-1) for a in np.indices((*out_shape, *kernel)))
    h = i * stride[0] + k * dilation[0] - top_left[0]
    w = j * stride[1] + l * dilation[1] - top_left[1]
    inside = (h >= 0) & (h < x_shape[0]) & (w >= 0) & (w < x_shape[1])
    found = i * out_shape[1] + j, h * x_shape[1] + w, k * kernel[1] + l
    return [a[inside].astype(np.int64) for a in found]


def _sorted(to, source, tap, shapes, kernel):
    read, written = (shape[0] * shape[1] for shape in shapes)
    order = np.argsort(to, kind="stable")
    start = np.searchsorted(to[order], np.arange(written + 1))
    return Pairs(start, source[order], tap[order], read, written, kernel[0] * kernel[1])


@numba.njit(cache=True, nogil=True)
def _gather(to, a, at, step, count):
    """to[i, j] = number i of image j, whose plane starts at a[at + j*step]."""
    for j in range(count):
        for i in range(len(to)):
            to[i, j] = a[at + j * step + i]


@numba.njit(cache=True, nogil=True)
def _scatter(a, at, step, count, rows):
    """The other way round."""
    for j in range(count):
        for i in range(len(rows)):
            a[at + j * step + i] = rows[i, j]


@numba.njit(cache=True, nogil=True)
def _add_product(to, factor, a):
    for j in range(SIDE):
        to[j] += factor * a[j]


@numba.njit(cache=True, nogil=True)
def forward_channels(x, w, b, y, found, sizes, first, last):
    (n, channels, m), read, written = sizes, found.read, found.written
    images, out = np.zeros((read, SIDE), x.dtype), np.empty((written, SIDE), x.dtype)
    for c in range(first, last):
        for image in range(0, n, SIDE):
            count = min(SIDE, n - image)
            _gather(images, x, (image * channels + c) * read, channels * read, count)
            for o in range(c * m, (c + 1) * m):
                for q in range(written):
                    out[q, :] = b[o]
                    for i in range(found.start[q], found.start[q + 1]):
                        _add_product(out[q], w[o * found.taps + found.tap[i]], images[found.source[i]])
                _scatter(y, (image * channels * m + o) * written, channels * m * written, count, out)


@parallel_njit
def forward_parallel(x, w, b, y, found, sizes, pieces, parts):
    for part in numba.prange(parts):
        forward_channels(x, w, b, y, found, sizes, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def input_channels(dy, w, dx, found, sizes, first, last):
    (n, channels, m), read, written = sizes, found.read, found.written
    images, out = np.zeros((read, SIDE), dy.dtype), np.empty((written, SIDE), dy.dtype)
    for c in range(first, last):
        for image in range(0, n, SIDE):
            count = min(SIDE, n - image)
            out[:] = 0
            for o in range(c * m, (c + 1) * m):
                _gather(images, dy, (image * channels * m + o) * read, channels * m * read, count)
                for p in range(written):
                    for i in range(found.start[p], found.start[p + 1]):
                        _add_product(out[p], w[o * found.taps + found.tap[i]], images[found.source[i]])
            _scatter(dx, (image * channels + c) * written, channels * written, count, out)


@parallel_njit
def input_parallel(dy, w, dx, found, sizes, pieces, parts):
    for part in numba.prange(parts):
        input_channels(dy, w, dx, found, sizes, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def weight_channels(dy, x, dw, found, sizes, first, last):
    (n, channels, m), read, written = sizes, found.read, found.written
    images, grads = np.zeros((read, SIDE), np.float64), np.zeros((written, SIDE), np.float64)
    total = np.empty((found.taps, SIDE), np.float64)
    for o in range(first * m, last * m):
        total[:] = 0
        for image in range(0, n, SIDE):
            count = min(SIDE, n - image)
            images[:, count:] = 0
            grads[:, count:] = 0
            _gather(images, x, (image * channels + o // m) * read, channels * read, count)
            _gather(grads, dy, (image * channels * m + o) * written, channels * m * written, count)
            for q in range(written):
                for i in range(found.start[q], found.start[q + 1]):
                    _add_products(total[found.tap[i]], grads[q], images[found.source[i]])
        for t in range(found.taps):
            dw[o * found.taps + t] = total[t].sum()


@numba.njit(cache=True, nogil=True)
def _add_products(to, a, b):
    for j in range(SIDE):
        to[j] += a[j] * b[j]


@parallel_njit
def weight_parallel(dy, x, dw, found, sizes, pieces, parts):
    for part in numba.prange(parts):
        weight_channels(dy, x, dw, found, sizes, part * pieces // parts, (part + 1) * pieces // parts)
