"""Maximum and average pooling of bytes, channels last. Scale and zero point stay those of x: neither needs a
multiplication.

What it computes, over a KH x KW window of x (N, H, W, C) uint8, stride (sh, sw), padding (top, bottom, left, right), as
TFLite's reference kernels define it:

    max       y = max x over the part of the window inside x
    average   y = (sum x + count / 2) / count, both divisions rounded down; count: the places inside x
    adaptive  the same over rows floor(i*H/out) .. ceil((i+1)*H/out) - 1, columns likewise

How memory is walked. A window is cut off at the border beforehand. For a row of y the rows of its windows become one,
all columns and channels of it as one run; then the columns of a window become one pixel, a run of channels.

Why it is fast. Every loop runs along memory. A vector holds 64 bytes for a maximum, 16 sums for an average. Arithmetic
intensity: KH/sh + KW/(sh*sw) operations a byte of x. Threads take rows of y.
"""

import functools

import numba
import numpy as np

from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.parallel import parallel_njit, run


def max_pool2d(x, kernel, stride, padding):
    """y (N, Ho, Wo, C) uint8; 0 where a window lies outside x."""
    return _pool(_max_rows, _max_parallel, x, *_windows(x.shape[1:3], tuple(kernel), tuple(stride), tuple(padding)))


def avg_pool2d(x, kernel, stride, padding):
    """y (N, Ho, Wo, C) uint8; 0 where a window lies outside x."""
    windows = _windows(x.shape[1:3], tuple(kernel), tuple(stride), tuple(padding))
    return _pool(_average_rows, _average_parallel, x, *windows)


def adaptive_avg_pool2d(x, out_shape):
    """y (N, *out_shape, C) uint8."""
    return _pool(_average_rows, _average_parallel, x, *_parts(x.shape[1:3], tuple(out_shape)))


@functools.lru_cache
def _windows(sizes, kernel, stride, padding):
    """For rows and for columns of y what each sees of x, (2, count) int64: the first, and one behind the last."""
    ends = []
    for size, k, s, before, after in zip(sizes, kernel, stride, padding[::2], padding[1::2], strict=True):
        first = np.arange(out_size(size, k, s, before, after)) * s - before
        ends.append(np.clip([first, first + k], 0, size).astype(np.int64))
    return ends


@functools.lru_cache
def _parts(sizes, out_shape):
    """As `_windows`, of windows that part an image."""
    places = [(np.arange(out, dtype=np.int64), size, out) for out, size in zip(out_shape, sizes, strict=True)]
    return [np.stack([i * size // out, -(-(i + 1) * size // out)]) for i, size, out in places]


def _pool(serial, parallel, x, rows, columns):
    n, height, width, c = x.shape
    y = np.empty((n, rows.shape[1], columns.shape[1], c), np.uint8)
    flat = np.ascontiguousarray(x).reshape(n * height, width * c)
    args = flat, y.reshape(n * y.shape[1], y.shape[2] * c), rows, columns, c
    run(serial, parallel, args, n * y.shape[1], x.size)
    return y


@numba.njit(cache=True, nogil=True)
def _max_rows(x, y, rows, columns, c, first, last):
    high = rows.shape[1]
    height, best = len(x) // max(1, len(y) // high), np.empty(x.shape[1], np.uint8)
    for row in range(first, last):
        best[:] = 0
        for h in range(rows[0, row % high], rows[1, row % high]):
            _raise(best, x[row // high * height + h])
        y[row] = 0
        for j in range(columns.shape[1]):
            for w in range(columns[0, j], columns[1, j]):
                _raise(y[row, j * c : j * c + c], best[w * c : w * c + c])


@numba.njit(cache=True, nogil=True)
def _raise(best, x):
    for i in range(len(best)):
        best[i] = max(best[i], x[i])


@numba.njit(cache=True, nogil=True)
def _average_rows(x, y, rows, columns, c, first, last):
    high = rows.shape[1]
    height, total, one = len(x) // max(1, len(y) // high), np.empty(x.shape[1], np.int32), np.empty(c, np.int32)
    for row in range(first, last):
        top, bottom = rows[0, row % high], rows[1, row % high]
        total[:] = 0
        for h in range(top, bottom):
            _add(total, x[row // high * height + h])
        for j in range(columns.shape[1]):
            one[:] = 0
            for w in range(columns[0, j], columns[1, j]):
                _add(one, total[w * c : w * c + c])
            _divide(y[row, j * c : j * c + c], one, (bottom - top) * (columns[1, j] - columns[0, j]))


@numba.njit(cache=True, nogil=True)
def _add(total, x):
    for i in range(len(total)):
        total[i] += x[i]


@numba.njit(cache=True, nogil=True)
def _divide(y, total, count):
    """y = (total + count // 2) // count. In float64, which divides in vectors: a whole number and a half over `count`
    lies 1 / 2count from the next whole number, far more than it is rounded by."""
    by, half = 1.0 / max(1, count), count // 2 + 0.5
    for i in range(len(y)):
        y[i] = np.uint8(np.int32((total[i] + half) * by))


@parallel_njit
def _max_parallel(x, y, rows, columns, c, pieces, parts):
    for part in numba.prange(parts):
        _max_rows(x, y, rows, columns, c, part * pieces // parts, (part + 1) * pieces // parts)


@parallel_njit
def _average_parallel(x, y, rows, columns, c, pieces, parts):
    for part in numba.prange(parts):
        _average_rows(x, y, rows, columns, c, part * pieces // parts, (part + 1) * pieces // parts)
