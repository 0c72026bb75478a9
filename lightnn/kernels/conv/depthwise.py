"""Depthwise convolution and its gradients: every channel is filtered by its own m kernels.

What it computes. x (N, C, H, W), w (C*m, 1, KH, KW), b (C*m,), y (N, C*m, HO, WO):

    y[n, c*m+r, i, j] = b[c*m+r] + sum_{k,l} w[c*m+r, k, l] * x[n, c, i*sh + k*dh - top, j*sw + l*dw - left]

How memory is walked. Plane by plane: a band of the plane is copied into a padded scratch buffer (see planes.py) in
which tap (k, l) is one flat offset, the outputs are computed as one flat run, and their rows are copied out. x and y
pass through memory once; everything between stays in the first-level cache. Small planes go V at a time
(depthwise_lanes.py), those of a few numbers 64 at a time (depthwise_tiny.py). The gradient of x is the same correlation
with dy as the image, one for each phase of the stride, with the taps that fall on that phase. The gradient of w is
KH*KW dot products of the two flat runs.

Why it is fast. No border test, no short vector, and a multiply-add for each load from cache (taps.py), for any kernel
size, stride and dilation. Arithmetic intensity 2*KH*KW flops to 8 bytes of memory at stride 1: 2.25 for 3 x 3, far
below what a dense convolution offers, so a large plane runs at the speed of memory (Chollet 2017, arXiv:1610.02357;
Howard 2017, arXiv:1704.04861).

Threads take planes (channels in the weight gradient), so no sum is split and the result does not depend on their
number.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv import depthwise_lanes as side
from lightnn.kernels.conv import depthwise_tiny as tiny
from lightnn.kernels.conv import planes
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.vector import simd, taps


class Grid(NamedTuple):
    """How the phases of dx lie in dx: number (u, v) of phase (a, b) is pixel (u*sh + a + h0, v*sw + b - skip)."""

    sh: int
    sw: int
    height: int
    width: int
    h0: int
    skip: int
    channels: int
    m: int  # filters of a channel


def forward(x, w, b, stride, padding, dilation):
    """y (N, C*m, HO, WO); b may be None."""
    n, c, *plane_shape = x.shape
    kernel, m = w.shape[2:], len(w) // max(c, 1)
    win, out_shape = _forward_window(x.shape, kernel, stride, padding, dilation)
    y = np.empty((n, len(w), *out_shape), x.dtype)
    b = np.zeros(len(w), x.dtype) if b is None else b
    x, w, b, flat = _flat(x, w, b, y)
    work, lanes = y.size * kernel[0] * kernel[1], simd.lanes(x.dtype)
    if tiny.suits(n, plane_shape, out_shape, kernel, lanes):
        found = tiny.pairs(tuple(plane_shape), out_shape, kernel, stride, padding[::2], dilation)
        run(tiny.forward_channels, tiny.forward_parallel, (x, w, b, flat, found, (n, c, m)), c, work)
        return y
    args = x, taps.Filter(w, planes.tap_offsets(win, kernel, dilation)), b, flat, win
    if side.suits(plane_shape, out_shape, win, c if m == 1 else 0, lanes):
        slots = side.forward_slots(plane_shape, win, c, lanes)
        run(side.forward_blocks, side.forward_parallel, (*args, slots), n * -(-c // lanes), work)
    else:
        run(_forward_planes, _forward_parallel, (*args, (c, m)), n * c, work)
    return y


def backward_input(dy, w, x_shape, stride, padding, dilation):
    """dx, the shape of x."""
    n, c = x_shape[:2]
    kernel, m = w.shape[2:], len(w) // max(c, 1)
    dx = np.empty(x_shape, dy.dtype)
    work, lanes = dy.size * kernel[0] * kernel[1], simd.lanes(dy.dtype)
    if tiny.suits(n, x_shape[2:], dy.shape[2:], kernel, lanes):
        found = tiny.pairs_back(tuple(x_shape[2:]), dy.shape[2:], kernel, stride, padding[::2], dilation)
        flat_dy, w, flat = _flat(dy, w, dx)
        run(tiny.input_channels, tiny.input_parallel, (flat_dy, w, flat, found, (n, c, m)), c, work)
        return dx
    win, grid = _transposed_window(x_shape, dy.shape, kernel, stride, padding, dilation, m)
    order, offset, phase_start = _phase_taps(win, kernel, stride, dilation, m)
    flat_dy, w, flat = _flat(dy, np.ascontiguousarray(w).reshape(c, -1)[:, order], dx)
    args = flat_dy, taps.Filter(w, offset), flat, win, phase_start
    if side.suits(x_shape[2:], dy.shape[2:], win, c if m == 1 else 0, lanes):
        slots = side.input_slots(win, grid, c, lanes)
        run(side.input_blocks, side.input_parallel, (*args, slots), n * -(-c // lanes), work)
    else:
        run(_input_planes, _input_parallel, (*args, grid), n * c, work)
    return dx


def backward_weight(dy, x, w_shape, stride, padding, dilation):
    """dw, of shape w_shape. (The gradient of b is dy.sum((0, 2, 3)).) Sums over planes are kept in float64."""
    n, c, *plane_shape = x.shape
    kernel, m = w_shape[2:], w_shape[0] // max(c, 1)
    win, out_shape = _forward_window(x.shape, kernel, stride, padding, dilation)
    work, lanes, dw = dy.size * kernel[0] * kernel[1], simd.lanes(x.dtype), np.empty(w_shape, x.dtype)
    if tiny.suits(n, plane_shape, out_shape, kernel, lanes):
        found = tiny.pairs(tuple(plane_shape), out_shape, kernel, stride, padding[::2], dilation)
        run(tiny.weight_channels, tiny.weight_parallel, (*_flat(dy, x, dw), found, (n, c, m)), c, work)
        return dw
    offset = planes.tap_offsets(win, kernel, dilation)
    offset = np.append(offset, np.zeros(-len(offset) % taps.GROUP, np.int64))
    args = (*_flat(dy, x, dw), win, offset)
    if side.suits(plane_shape, out_shape, win, c if m == 1 else 0, lanes):
        slots = side.forward_slots(plane_shape, win, c, lanes)
        run(side.weight_blocks, side.weight_parallel, (*args, slots), -(-c // lanes), work)
    else:
        run(_weight_channels, _weight_parallel, (*args, (n, c, m, kernel[0] * kernel[1])), c, work)
    return dw


def _flat(*arrays):
    return [np.ascontiguousarray(a).reshape(-1) for a in arrays]


def _forward_window(x_shape, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    out_shape = (
        planes.out_size(x_shape[2], kernel[0], stride[0], top, bottom, dilation[0]),
        planes.out_size(x_shape[3], kernel[1], stride[1], left, right, dilation[1]),
    )
    reach = (kernel[0] - 1) * dilation[0], (kernel[1] - 1) * dilation[1]
    return planes.window(x_shape[2:], out_shape, reach, stride, (top, left)), out_shape


@functools.lru_cache
def _transposed_window(x_shape, dy_shape, kernel, stride, padding, dilation, m):
    """The window of dx over dy, and the Grid of dx.

    Row h of x is u*sh + a - top for one phase a and one u >= u0 = top // sh; tap k of that phase reads row
    u - k*dh // sh of dy.
    """
    (_, c, height, width), (top, left) = x_shape, padding[::2]
    reach = tuple((kernel[k] - 1) * dilation[k] // stride[k] for k in (0, 1))
    first = top // stride[0], left // stride[1]
    out_shape = (height - 1 + top) // stride[0] - first[0] + 1, (width - 1 + left) // stride[1] - first[1] + 1
    win = planes.window(dy_shape[2:], out_shape, reach, (1, 1), (reach[0] - first[0], reach[1] - first[1]), m)
    return win, Grid(*stride, height, width, first[0] * stride[0] - top, left - first[1] * stride[1], c, m)


@functools.lru_cache
def _phase_taps(win, kernel, stride, dilation, m):
    """The taps (of all m kernels) sorted by phase: their order, their offsets, and where each phase starts."""
    (sh, sw), down, right = stride, win.rows - win.band, win.pitch - win.out_w
    r, k, l = np.meshgrid(
        np.arange(m), np.arange(kernel[0]) * dilation[0], np.arange(kernel[1]) * dilation[1], indexing="ij"
    )
    phase = (k % sh * sw + l % sw).reshape(-1)
    offset = ((r * win.rows + down - k // sh) * win.pitch + right - l // sw).reshape(-1)
    order = np.argsort(phase, kind="stable")
    return order, offset[order].astype(np.int64), np.searchsorted(phase[order], np.arange(sh * sw + 1))


@numba.njit(cache=True, nogil=True)
def _forward_planes(x, filters, b, y, win, channels_m, first, last):
    channels, m = channels_m
    n_taps, border = len(filters.offset), x.dtype.type(0)
    buffer = np.zeros(planes.buffer_size(win) + taps.SLACK, x.dtype)
    out = np.empty(win.band * win.pitch + taps.SLACK, x.dtype)
    for plane in range(first, last):
        for row in range(0, win.out_h, win.band):
            rows = min(win.band, win.out_h - row)
            planes.fill(buffer, x, plane * win.height * win.width, win, row, border)
            for r in range(m):
                o = plane % channels * m + r
                taps.add_taps(out, rows * win.pitch, buffer, filters, o * n_taps, 0, n_taps, b[o])
                planes.crop(y, ((plane * m + r) * win.out_h + row) * win.out_w, out, rows, win.out_w, win.pitch)


@parallel_njit
def _forward_parallel(x, filters, b, y, win, channels_m, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _forward_planes(x, filters, b, y, win, channels_m, first, last)


@numba.njit(cache=True, nogil=True)
def _input_planes(dy, filters, dx, win, phase_start, grid, first, last):
    channels, m = grid.channels, grid.m
    sh, sw, zero, size = grid.sh, grid.sw, dy.dtype.type(0), planes.buffer_size(win)
    buffer = np.zeros(m * size + taps.SLACK, dy.dtype)
    out = np.empty((sw, win.band * win.pitch + taps.SLACK), dy.dtype)
    for plane in range(first, last):
        w_at = plane % channels * len(filters.offset)
        for row in range(0, win.out_h, win.band):
            rows = min(win.band, win.out_h - row)
            for r in range(m):
                planes.fill(buffer[r * size :], dy, (plane * m + r) * win.height * win.width, win, row, zero)
            for a in range(sh):
                for b in range(sw):
                    start, stop = phase_start[a * sw + b], phase_start[a * sw + b + 1]
                    taps.add_taps(out[b], rows * win.pitch, buffer, filters, w_at, start, stop, zero)
                _weave_rows(dx, plane, out, (row, rows), win.pitch, a, grid)


@numba.njit(cache=True, nogil=True)
def _weave_rows(dx, plane, out, band, pitch, a, grid):
    """Number v of phase b becomes column v*sw + b - skip of dx; the rows of the band are row phase a."""
    sw, height, width, skip = grid.sw, grid.height, grid.width, grid.skip
    first, rows = band
    flat, section = out.reshape(-1), out.shape[1]
    for r in range(rows):
        h = (first + r) * grid.sh + a + grid.h0
        if h < 0 or h >= height:
            continue
        at, source = (plane * height + h) * width, r * pitch
        if sw == 1:
            simd.copy(dx, at, flat, source, width)
        elif sw == 2:
            even, odd = (source, source + section) if skip == 0 else (source + section, source + 1)
            simd.weave(dx, at, flat, even, flat, odd, width // 2)
            if width % 2:
                dx[at + width - 1] = flat[even + width // 2]
        else:
            for w in range(width):
                dx[at + w] = flat[(w + skip) % sw * section + source + (w + skip) // sw]


@parallel_njit
def _input_parallel(dy, filters, dx, win, phase_start, grid, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _input_planes(dy, filters, dx, win, phase_start, grid, first, last)


@numba.njit(cache=True, nogil=True)
def _weight_channels(dy, x, dw, win, offset, sizes, first, last):
    n, channels, m, n_taps = sizes
    zero = x.dtype.type(0)
    buffer = np.zeros(planes.buffer_size(win) + taps.SLACK, x.dtype)
    run = np.zeros(win.band * win.pitch + taps.SLACK, x.dtype)
    total = np.empty(m * len(offset), np.float64)
    for c in range(first, last):
        total[:] = 0
        for plane in range(c, n * channels, channels):
            for row in range(0, win.out_h, win.band):
                rows = min(win.band, win.out_h - row)
                planes.fill(buffer, x, plane * win.height * win.width, win, row, zero)
                for r in range(m):
                    at = ((plane * m + r) * win.out_h + row) * win.out_w
                    _space_out(run, dy, at, rows, win.out_w, win.pitch)
                    for t in range(0, n_taps, taps.GROUP):
                        taps.dot_taps(total, r * len(offset) + t, run, rows * win.pitch, buffer, offset, t)
        for r in range(m):
            for t in range(n_taps):
                dw[(c * m + r) * n_taps + t] = total[r * len(offset) + t]


@numba.njit(cache=True, nogil=True)
def _space_out(run, dy, at, rows, width, pitch):
    """Rows of dy, `pitch` apart; the gaps stay zero, and so does the vector that the last one ends in."""
    for r in range(rows):
        simd.copy(run, r * pitch, dy, at + r * width, width)
    for q in range(rows * pitch, rows * pitch + taps.SLACK):
        run[q] = 0


@parallel_njit
def _weight_parallel(dy, x, dw, win, offset, sizes, pieces, parts):
    for part in numba.prange(parts):
        _weight_channels(dy, x, dw, win, offset, sizes, part * pieces // parts, (part + 1) * pieces // parts)
