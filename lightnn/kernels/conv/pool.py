"""Max pooling, average pooling and adaptive average pooling, with their gradients.

What it computes, over a KH x KW window of x (N, C, H, W), stride (sh, sw), padding (top, bottom, left, right):

    max      y = max x over the part of the window inside x; the first of equal numbers wins; NaN wins over everything
    average  y = sum x / number of positions
    adaptive y[i, j] = mean of rows floor(i*H/out) .. ceil((i+1)*H/out) - 1, columns likewise

How memory is walked. As in depthwise convolution (planes.py): a plane is copied into a padded buffer where every tap
of the window is one flat offset, and all outputs of a band advance together, tap by tap. An average is a depthwise
convolution with weights 1. The gradient of a maximum adds each dy to the one number that won, whose place in the plane
was kept (int32).

Why it is fast. Each tap is one vector comparison and two vector selections, with no branch, and the running maximum
stays in the first-level cache. Arithmetic intensity: KH*KW comparisons to 4 * (sh*sw + 2) bytes of memory an output.
Threads take planes, so the result does not depend on their number.
"""

import numba
import numpy as np

from lightnn.kernels.conv import depthwise, planes
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.vector import taps


def max_pool2d(x, kernel, stride, padding):
    """(y, argmax): argmax int32, the place h*W + w of the maximum in its plane of x."""
    n, c, height, width = x.shape
    top, bottom, left, right = padding
    out_shape = _out_shape(x, kernel, stride, padding)
    win = planes.window((height, width), out_shape, (kernel[0] - 1, kernel[1] - 1), stride, (top, left))
    y, argmax = np.empty((n, c, *out_shape), x.dtype), np.empty((n, c, *out_shape), np.int32)
    step = (np.arange(kernel[0])[:, None] * width + np.arange(kernel[1])).reshape(-1).astype(np.int32)
    offset = planes.tap_offsets(win, kernel, (1, 1))
    args = (np.ascontiguousarray(x).reshape(-1), y.reshape(-1), argmax.reshape(-1), win, offset, step)
    run(_max_planes, _max_parallel, args, n * c, y.size * len(step))
    return y, argmax


def max_pool2d_backward(dy, argmax, x_shape):
    """dx, the shape of x."""
    n, c, height, width = x_shape
    dx = np.zeros(x_shape, dy.dtype)
    args = [np.ascontiguousarray(a).reshape(n * c, -1) for a in (dy, argmax)] if dx.size else []
    if args:
        run(_max_back, _max_back_parallel, (*args, dx.reshape(n * c, -1)), n * c, 4 * dy.size)
    return dx


def avg_pool2d(x, kernel, stride, padding, count_include_pad=True, ceil_padding=(0, 0)):
    """y. `ceil_padding` is what ceil_mode added to the bottom and right padding: it is never counted."""
    channels = x.shape[1]
    w = np.full((channels, 1, *kernel), 1 / (kernel[0] * kernel[1]), x.dtype)
    y = depthwise.forward(x, w, None, stride, padding, (1, 1))
    factor = _factor(x.shape, y.shape, kernel, stride, padding, count_include_pad, ceil_padding)
    return y if factor is None else np.multiply(y, factor, out=y, casting="same_kind")


def avg_pool2d_backward(dy, x_shape, kernel, stride, padding, count_include_pad=True, ceil_padding=(0, 0)):
    """dx, the shape of x."""
    factor = _factor(x_shape, dy.shape, kernel, stride, padding, count_include_pad, ceil_padding)
    dy = dy if factor is None else (dy * factor).astype(dy.dtype, copy=False)
    w = np.full((x_shape[1], 1, *kernel), 1 / (kernel[0] * kernel[1]), dy.dtype)
    return depthwise.backward_input(dy, w, x_shape, stride, padding, (1, 1))


def adaptive_avg_pool2d(x, out_shape):
    """y (N, C, *out_shape)."""
    n, c, height, width = x.shape
    y = np.empty((n, c, *out_shape), x.dtype)
    args = (np.ascontiguousarray(x).reshape(n * c, height, width), y.reshape(n * c, *out_shape))
    run(_adaptive_planes, _adaptive_parallel, args, n * c, x.size)
    return y


def adaptive_avg_pool2d_backward(dy, x_shape):
    """dx, the shape of x."""
    n, c, height, width = x_shape
    dx = np.zeros(x_shape, dy.dtype)
    args = (np.ascontiguousarray(dy).reshape(n * c, *dy.shape[2:]), dx.reshape(n * c, height, width))
    run(_adaptive_back, _adaptive_back_parallel, args, n * c, dx.size)
    return dx


def _out_shape(x, kernel, stride, padding):
    return (
        planes.out_size(x.shape[2], kernel[0], stride[0], *padding[:2]),
        planes.out_size(x.shape[3], kernel[1], stride[1], *padding[2:]),
    )


def _factor(x_shape, y_shape, kernel, stride, padding, count_include_pad, ceil_padding):
    """KH*KW / (positions counted) for each output, or None if it is 1 everywhere."""
    counts = []
    for axis in (0, 1):
        before, after = padding[2 * axis : 2 * axis + 2]
        start = np.arange(y_shape[2 + axis]) * stride[axis] - before
        low, high = (-before, after - ceil_padding[axis]) if count_include_pad else (0, 0)
        size = x_shape[2 + axis] + high
        counts.append(np.minimum(start + kernel[axis], size) - np.maximum(start, low))
    count = counts[0][:, None] * counts[1]
    area = kernel[0] * kernel[1]
    return None if (count == area).all() else area / count


@numba.njit(cache=True, nogil=True)
def _max_planes(x, y, argmax, win, offset, step, first, last):
    size = win.band * win.pitch
    buffer = np.full(planes.buffer_size(win) + taps.SLACK, -np.inf, x.dtype)
    best, place = np.empty(size, x.dtype), np.empty(size, np.int32)
    for plane in range(first, last):
        for row in range(0, win.out_h, win.band):
            rows = min(win.band, win.out_h - row)
            planes.fill(buffer, x, plane * win.height * win.width, win, row, x.dtype.type(-np.inf))
            best[:] = -np.inf
            place[:] = -1
            for t in range(len(step)):
                _keep_larger(best, place, buffer[offset[t] : offset[t] + size], step[t])
            at = (plane * win.out_h + row) * win.out_w
            planes.crop(y, at, best, rows, win.out_w, win.pitch)
            _place_in_plane(argmax, at, place, rows, row, win)


@numba.njit(cache=True, nogil=True)
def _keep_larger(best, place, values, step):
    for i in range(len(best)):
        value = values[i]
        larger = value > best[i] or value != value
        best[i] = value if larger else best[i]
        place[i] = step if larger else place[i]


@numba.njit(cache=True, nogil=True)
def _place_in_plane(argmax, at, place, rows, row, win):
    """Step within the window -> place in the plane. Where all were -inf, the first place inside the plane."""
    for r in range(rows):
        h = (row + r) * win.sh - win.top
        out = argmax[at + r * win.out_w : at + (r + 1) * win.out_w]
        steps = place[r * win.pitch : r * win.pitch + win.out_w]
        for j in range(len(out)):
            w = j * win.sw - win.left
            none = max(h, 0) * win.width + max(w, 0)
            out[j] = none if steps[j] < 0 else h * win.width + w + steps[j]


@parallel_njit
def _max_parallel(x, y, argmax, win, offset, step, pieces, parts):
    for part in numba.prange(parts):
        _max_planes(x, y, argmax, win, offset, step, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _max_back(dy, argmax, dx, first, last):
    for plane in range(first, last):
        for i in range(dy.shape[1]):
            dx[plane, argmax[plane, i]] += dy[plane, i]


@parallel_njit
def _max_back_parallel(dy, argmax, dx, pieces, parts):
    for part in numba.prange(parts):
        _max_back(dy, argmax, dx, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _adaptive_planes(x, y, first, last):
    (_, height, width), (_, out_h, out_w) = x.shape, y.shape
    total = np.empty(width, x.dtype)
    for plane in range(first, last):
        for i in range(out_h):
            top, bottom = i * height // out_h, -(-(i + 1) * height // out_h)
            total[:] = 0
            for h in range(top, bottom):
                for w in range(width):
                    total[w] += x[plane, h, w]
            for j in range(out_w):
                left, right = j * width // out_w, -(-(j + 1) * width // out_w)
                y[plane, i, j] = total[left:right].sum() / ((bottom - top) * (right - left))


@parallel_njit
def _adaptive_parallel(x, y, pieces, parts):
    for part in numba.prange(parts):
        _adaptive_planes(x, y, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _adaptive_back(dy, dx, first, last):
    (_, out_h, out_w), (_, height, width) = dy.shape, dx.shape
    row = np.empty(width, dx.dtype)
    for plane in range(first, last):
        for i in range(out_h):
            top, bottom = i * height // out_h, -(-(i + 1) * height // out_h)
            row[:] = 0
            for j in range(out_w):
                left, right = j * width // out_w, -(-(j + 1) * width // out_w)
                row[left:right] += dy[plane, i, j] / ((bottom - top) * (right - left))
            for h in range(top, bottom):
                for w in range(width):
                    dx[plane, h, w] += row[w]


@parallel_njit
def _adaptive_back_parallel(dy, dx, pieces, parts):
    for part in numba.prange(parts):
        _adaptive_back(dy, dx, part * pieces // parts, (part + 1) * pieces // parts)
