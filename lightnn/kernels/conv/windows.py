"""Where the windows of a convolution lie: padded planes, tap offsets, and panels of patches.

What it computes. A convolution reads x[n, c, oy*sh + i*dh - top, ox*sw + j*dw - left]. `planes` copies x once into
zero-padded planes split by phase of the stride, x'[n, c, a, b, u, v] = x[n, c, u*sh + a - top, v*sw + b - left]. There
the number that output pixel (n, oy, ox) needs for tap (c, i, j) lies at pixel_offset + tap_offset: no test for the
border, and neighbours in a row of the output are neighbours in memory at any stride.

How memory is walked. The copy reads and writes each number once (intensity 0: it costs bandwidth, and is skipped when
there is neither padding nor stride). `pack_panel` then gathers B of the micro-kernel, (steps, width) with a pixel per
lane, as runs of consecutive pixels: whole vectors are copied, and what a copy writes beyond its run the next run
overwrites.

Why it is fast. Only a panel that fits in the cache exists at a time, never the whole im2col matrix (KH*KW times the
image). A panel is packed once and read by every ROWS rows of the weights.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import VECTORS, aligned_empty, copy_vector, lanes


class Planes(NamedTuple):
    """Padded planes: the flat data and how far the next image, channel and row lie."""

    data: np.ndarray
    image: int
    channel: int
    row: int
    spare: bool  # a tile read beyond the last number stays inside the array


class Axis(NamedTuple):
    """One spatial axis of a forward convolution: output size, padded size per phase, phases used, tap k -> (phase,
    shift)."""

    out: int
    size: int
    phases: tuple
    taps: tuple


def axis(size, kernel, stride, before, after, dilation):
    """Geometry of one axis: tap k reads padded position o*stride + k*dilation = (o + shift)*stride + phase."""
    out = (size + before + after - dilation * (kernel - 1) - 1) // stride + 1
    phases = sorted({k * dilation % stride for k in range(kernel)})
    taps = tuple((phases.index(k * dilation % stride), k * dilation // stride) for k in range(kernel))
    return Axis(out, out + taps[-1][1], tuple(phases), taps)


def axes(x_shape, kernel, stride, padding, dilation):
    """The vertical and the horizontal Axis."""
    top, bottom, left, right = padding
    return (
        axis(x_shape[2], kernel[0], stride[0], top, bottom, dilation[0]),
        axis(x_shape[3], kernel[1], stride[1], left, right, dilation[1]),
    )


def forward_planes(x, vertical, horizontal, stride, padding):
    """x as Planes, and the offset of tap (i, j) within a channel, shape (KH*KW,)."""
    if stride == (1, 1):
        planes = unit_planes(x, (padding[0], padding[2]), vertical, horizontal)
    else:
        planes = make_planes(np.ascontiguousarray(x), stride, (padding[0], padding[2]), vertical, horizontal)
    wide = len(horizontal.phases)
    taps = [
        ((a * wide + b) * vertical.size + u) * horizontal.size + v
        if wide * len(vertical.phases) > 1
        else u * planes.row + v
        for a, u in vertical.taps
        for b, v in horizontal.taps
    ]
    return planes, np.array(taps, np.int64)


def unit_planes(x, before, vertical, horizontal):
    """x as Planes for a convolution of stride 1: x itself where no zero is added."""
    x = np.ascontiguousarray(x)
    if before == (0, 0) and x.shape[2:] == (vertical.size, horizontal.size):
        _, c, h, w = x.shape
        return Planes(x.reshape(-1), c * h * w, h * w, w, False)
    return make_planes(x, (1, 1), before, vertical, horizontal)


def make_planes(x, stride, before, vertical, horizontal):
    """Zero-padded copy of x split by phase (a tile beyond the end may be read, so it has that much to spare)."""
    n, c, h, w = x.shape
    plane = vertical.size * horizontal.size
    channel = len(vertical.phases) * len(horizontal.phases) * plane
    data = aligned_empty(n * c * channel + VECTORS * lanes(x.dtype), x.dtype)
    data[n * c * channel :] = 0  # read by a last tile, and there met by a gradient of 0: it must hold numbers
    phases = np.array([(a, b) for a in vertical.phases for b in horizontal.phases], np.int64)
    padded = vertical.size, horizontal.size
    _fill_planes(data, x.reshape(-1), (n * c, h, w), phases, stride, before, padded, lanes(x.dtype))
    return Planes(data, c * channel, channel, horizontal.size, True)


@parallel_njit
def _fill_planes(data, x, shape, phases, stride, before, padded, lane_count):
    n_planes, h, w = shape
    zeros = np.zeros(lane_count, x.dtype)
    size = padded[0] * padded[1]
    for plane in numba.prange(n_planes):
        for f in range(len(phases)):
            at = (plane * len(phases) + f) * size
            y0, x0 = phases[f, 0] - before[0], phases[f, 1] - before[1]
            if stride[1] == 1:
                _fill_plane(data, at, padded, x, plane * h * w, (h, w), y0, x0, stride[0], zeros)
            else:
                _fill_plane_exactly(data, at, padded, 0, x, plane * h * w, (h, w), y0, x0, stride)


@numba.njit(cache=True, nogil=True)
def _fill_plane(out, at, padded, x, x_at, shape, y0, x0, sh, zeros):
    """out[u, v] = x[u*sh + y0, v + x0], or 0 outside x, in whole vectors: what one writes too much, the next
    overwrites."""
    high, wide = padded
    h, w = shape
    lane_count = len(zeros)
    first = min(wide, max(0, -x0))
    count = max(0, min(wide, w - x0) - first)
    for u in range(high):
        source = u * sh + y0
        inside = count if 0 <= source < h else 0
        source = x_at + source * w + first + x0
        to = at + u * wide + first
        spill = max(inside, wide) + lane_count  # past `to`, of the zeros behind the row
        if to + spill > at + high * wide or source + inside + lane_count > len(x):
            _fill_plane_exactly(out, at, padded, u, x, x_at, shape, y0, x0, (sh, 1))
            return
        if u == 0:
            out[at:to] = 0
        for i in range(0, inside, lane_count):
            copy_vector(out, to + i, x, source + i)
        for i in range(inside, wide, lane_count):  # up to where the next row's numbers begin
            copy_vector(out, to + i, zeros, 0)


@numba.njit(cache=True, nogil=True)
def _fill_plane_exactly(out, at, padded, u0, x, x_at, shape, y0, x0, stride):
    """out[u, v] = x[u*sh + y0, v*sw + x0], or 0 outside x, from row u0 on, number by number."""
    high, wide = padded
    h, w = shape
    first = min(wide, max(0, -(x0 // stride[1])))  # ceil(-x0 / sw)
    last = max(first, min(wide, (w - 1 - x0) // stride[1] + 1))
    for u in range(u0, high):
        row = at + u * wide
        source = u * stride[0] + y0
        lo, hi = (first, last) if 0 <= source < h else (wide, wide)
        source = x_at + source * w + x0
        for v in range(lo):
            out[row + v] = 0
        for v in range(lo, hi):
            out[row + v] = x[source + v * stride[1]]
        for v in range(hi, wide):
            out[row + v] = 0


@numba.njit(cache=True, nogil=True)
def find_runs(runs, pixel, count, out_shape, image, row):
    """Cut output pixels pixel .. pixel+count into runs consecutive in the planes: (3, n) of source, lane, length."""
    ho, wo = out_shape
    n = 0
    lane = 0
    while lane < count:
        q = (pixel + lane) % (ho * wo)
        length = wo - q % wo if row != wo else ho * wo - q
        length = min(length, count - lane)
        runs[0, n] = (pixel + lane) // (ho * wo) * image + q // wo * row + q % wo
        runs[1, n] = lane
        runs[2, n] = length
        lane += length
        n += 1
    return n


@numba.njit(cache=True, nogil=True)
def pack_panel(panel, at, pitch, x, x_at, taps, first, steps, runs, n_runs, lane_count):
    """panel[t, lane] = x at (pixel of the lane, tap first + t), in whole vectors where x has room for them."""
    end = 0
    for t in range(first, first + steps):
        end = max(end, taps[t])
    for s in range(n_runs):
        to = at + runs[1, s]
        source = x_at + runs[0, s]
        whole = -(-runs[2, s] // lane_count) * lane_count
        if source + end + whole > len(x):  # the very end of an array with no spare vector behind it
            for t in range(steps):
                for i in range(runs[2, s]):
                    panel[to + t * pitch + i] = x[source + taps[first + t] + i]
        else:
            for lane in range(0, whole, lane_count):
                for t in range(steps):
                    copy_vector(panel, to + t * pitch + lane, x, source + taps[first + t] + lane)
