"""Maximum and average pooling of bytes. Scale and zero point stay those of x: neither needs a multiplication.

What it computes, over a KH x KW window of x (N, C, H, W) uint8, stride (sh, sw), padding (top, bottom, left, right), as
TFLite's reference kernels define it:

    max       y = max x over the part of the window inside x
    average   y = (sum x + count / 2) / count, both divisions rounded down; count: the places inside x
    adaptive  the same over rows floor(i*H/out) .. ceil((i+1)*H/out) - 1, columns likewise

How memory is walked. As in conv/pool.py: a plane is copied into a padded buffer where every tap of the window is one
flat offset, and all outputs of a band advance together, tap by tap. The border is 0, which is no maximum and adds
nothing.

Why it is fast. A vector holds 64 bytes for a maximum, 16 sums for an average. Arithmetic intensity: KH*KW operations to
sh*sw + 1 bytes of memory an output. Threads take planes.
"""

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.parallel import parallel_njit, run


def max_pool2d(x, kernel, stride, padding):
    """y (N, C, Ho, Wo) uint8."""
    return _pool(_max_planes, _max_parallel, x, kernel, stride, padding, np.zeros((1, 1), np.int32))


def avg_pool2d(x, kernel, stride, padding):
    """y (N, C, Ho, Wo) uint8. At least one place of each window lies inside x."""
    return _pool(_average_planes, _average_parallel, x, kernel, stride, padding, None)


def adaptive_avg_pool2d(x, out_shape):
    """y (N, C, *out_shape) uint8."""
    n, c, height, width = x.shape
    y = np.empty((n, c, *out_shape), np.uint8)
    args = (np.ascontiguousarray(x).reshape(n * c, height, width), y.reshape(n * c, *out_shape))
    run(_adaptive_planes, _adaptive_parallel, args, n * c, x.size)
    return y


def _pool(serial, parallel, x, kernel, stride, padding, count):
    n, c, height, width = x.shape
    top, bottom, left, right = padding
    out_shape = (
        planes.out_size(height, kernel[0], stride[0], top, bottom),
        planes.out_size(width, kernel[1], stride[1], left, right),
    )
    y = np.empty((n, c, *out_shape), np.uint8)
    if y.size == 0:
        return y
    win = planes.window((height, width), out_shape, (kernel[0] - 1, kernel[1] - 1), stride, (top, left))
    if count is None:
        count = _inside(height, kernel[0], stride[0], top, out_shape[0])[:, None]
        count = (count * _inside(width, kernel[1], stride[1], left, out_shape[1])).astype(np.int32)
    offset = planes.tap_offsets(win, kernel, (1, 1))
    args = np.ascontiguousarray(x).reshape(-1), y.reshape(-1), win, offset, count
    run(serial, parallel, args, n * c, y.size * len(offset) // 4)
    return y


def _inside(size, kernel, stride, before, out):
    """How many places of each window lie inside x, along one axis."""
    start = np.arange(out) * stride - before
    return np.minimum(start + kernel, size) - np.maximum(start, 0)


@numba.njit(cache=True, nogil=True)
def _max_planes(x, y, win, offset, count, first, last):
    size = planes.buffer_size(win)
    buffer, best = np.zeros(size, np.uint8), np.empty(win.band * win.pitch, np.uint8)
    for plane in range(first, last):
        for row in range(0, win.out_h, win.band):
            rows = min(win.band, win.out_h - row)
            planes.fill(buffer, x, plane * win.height * win.width, win, row, 0)
            length = (rows - 1) * win.pitch + win.out_w
            best[:length] = buffer[offset[0] : offset[0] + length]
            for t in range(1, len(offset)):
                _raise(best[:length], buffer[offset[t] : offset[t] + length])
            planes.crop(y, (plane * win.out_h + row) * win.out_w, best, rows, win.out_w, win.pitch)


@numba.njit(cache=True, nogil=True)
def _raise(best, x):
    for q in range(len(best)):
        best[q] = max(best[q], x[q])


@numba.njit(cache=True, nogil=True)
def _average_planes(x, y, win, offset, count, first, last):
    buffer, total = np.zeros(planes.buffer_size(win), np.uint8), np.empty(win.band * win.pitch, np.int32)
    for plane in range(first, last):
        for row in range(0, win.out_h, win.band):
            rows = min(win.band, win.out_h - row)
            planes.fill(buffer, x, plane * win.height * win.width, win, row, 0)
            length = (rows - 1) * win.pitch + win.out_w
            total[:length] = 0
            for t in range(len(offset)):
                _add(total[:length], buffer[offset[t] : offset[t] + length])
            for i in range(rows):
                at = (plane * win.out_h + row + i) * win.out_w
                _divide(y[at : at + win.out_w], total[i * win.pitch :], count[row + i])


@numba.njit(cache=True, nogil=True)
def _add(total, x):
    for q in range(len(total)):
        total[q] += x[q]


@numba.njit(cache=True, nogil=True)
def _divide(y, total, count):
    for j in range(len(y)):
        y[j] = (total[j] + count[j] // 2) // count[j]


@numba.njit(cache=True, nogil=True)
def _adaptive_planes(x, y, first, last):
    (_, height, width), (_, out_h, out_w) = x.shape, y.shape
    total = np.empty(width, np.int64)
    for plane in range(first, last):
        for i in range(out_h):
            top, bottom = i * height // out_h, -(-(i + 1) * height // out_h)
            total[:] = 0
            for h in range(top, bottom):
                for w in range(width):
                    total[w] += x[plane, h, w]
            for j in range(out_w):
                left, right = j * width // out_w, -(-(j + 1) * width // out_w)
                count = (bottom - top) * (right - left)
                y[plane, i, j] = (total[left:right].sum() + count // 2) // count


@parallel_njit
def _max_parallel(x, y, win, offset, count, pieces, parts):
    for part in numba.prange(parts):
        _max_planes(x, y, win, offset, count, part * pieces // parts, (part + 1) * pieces // parts)


@parallel_njit
def _average_parallel(x, y, win, offset, count, pieces, parts):
    for part in numba.prange(parts):
        _average_planes(x, y, win, offset, count, part * pieces // parts, (part + 1) * pieces // parts)


@parallel_njit
def _adaptive_parallel(x, y, pieces, parts):
    for part in numba.prange(parts):
        _adaptive_planes(x, y, part * pieces // parts, (part + 1) * pieces // parts)
