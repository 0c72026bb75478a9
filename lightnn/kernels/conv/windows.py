"""Where the windows of a convolution lie: the padded image, tap offsets, and panels of patches.

What it computes. A convolution reads x[n, c, i*sh + k*dh - top, j*sw + l*dw - left]. `pad_image` copies x once into
zero-padded planes split by phase of the stride, x'[n, c, a, b, u, v] = x[n, c, u*sh + a - top, v*sw + b - left]. There
the number that output pixel (n, i, j) needs for tap (c, k, l) lies at pixel_offset + tap_offset: no test for the
border, and neighbours in a row of the output are neighbours in memory at any stride.

How memory is walked. The copy reads and writes each number once (intensity 0: it costs bandwidth, and is skipped when
there is neither padding nor stride). `pack_panel` then copies the micro-kernel's B, (steps, width) with a pixel per
lane, as runs of consecutive pixels: whole vectors are copied, and what a copy writes beyond its run the next run
overwrites.

Why it is fast. Only a panel that fits in the cache exists at a time, never the whole im2col matrix (KH*KW times the
image). A panel is packed once and read by every ROWS rows of the weights.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import VECTORS, aligned_empty
from lightnn.kernels.vector.simd import VECTOR_BYTES, copy_vector, lanes, pick


class Padded(NamedTuple):
    """A padded image: its numbers, and how far the next image, channel and row lie."""

    data: np.ndarray
    image: int
    channel: int
    row: int
    spare: bool  # a tile that reads beyond the last number stays inside the array


class Axis(NamedTuple):
    """One spatial axis of a convolution. Tap k reads padded position i*stride + k*dilation = (i + shift)*stride +
    phase."""

    out: int  # outputs
    size: int  # of the padded image, for each phase
    stride: int
    before: int  # padding; negative crops
    phases: tuple  # in use
    taps: tuple  # of tap k (index in phases, shift)


class Grid(NamedTuple):
    """How a plane is copied into its phases."""

    height: int  # of the plane x
    width: int
    sh: int
    sw: int
    high: int  # of a padded phase
    wide: int


class Spot(NamedTuple):
    """A piece of y: `count` pixels from `pixel` on, counted over all images, of `rows` channels from `row` on."""

    pixel: int
    count: int
    row: int
    rows: int


def axis(size, kernel, stride, before, after, dilation):
    """The Axis of a forward convolution."""
    out = out_size(size, kernel, stride, before, after, dilation)
    phases = sorted({k * dilation % stride for k in range(kernel)})
    taps = tuple((phases.index(k * dilation % stride), k * dilation // stride) for k in range(kernel))
    return Axis(out, out + taps[-1][1], stride, before, tuple(phases), taps)


@functools.lru_cache
def axes(x_shape, kernel, stride, padding, dilation):
    """The vertical and the horizontal Axis."""
    top, bottom, left, right = padding
    return (
        axis(x_shape[2], kernel[0], stride[0], top, bottom, dilation[0]),
        axis(x_shape[3], kernel[1], stride[1], left, right, dilation[1]),
    )


def pad_image(x, vertical, horizontal):
    """x as Padded: x itself where nothing is added or moved, else a zero-padded copy of each phase."""
    x = np.ascontiguousarray(x)
    n, c, h, w = x.shape
    stride, before = (vertical.stride, horizontal.stride), (vertical.before, horizontal.before)
    if stride == (1, 1) and before == (0, 0) and (h, w) == (vertical.size, horizontal.size):
        return Padded(x.reshape(-1), c * h * w, h * w, w, False)
    first = _first_pixels(vertical, horizontal)
    channel = len(first) * vertical.size * horizontal.size
    data = aligned_empty(n * c * channel + VECTORS * lanes(x.dtype), x.dtype)
    data[n * c * channel :] = 0  # a last tile reads these, and multiplies them by a gradient of 0: they must be numbers
    _pad_planes(data, x.reshape(-1), Grid(h, w, *stride, vertical.size, horizontal.size), first, n * c)
    return Padded(data, c * channel, channel, horizontal.size, True)


@functools.lru_cache
def tap_offsets(vertical, horizontal, channels, distance):
    """Offset of tap (c, k, l) in the padded image, whose channels are `distance` apart, shape (C*KH*KW,)."""
    wide = len(horizontal.phases)
    taps = [
        ((a * wide + b) * vertical.size + u) * horizontal.size + v for a, u in vertical.taps for b, v in horizontal.taps
    ]
    return (np.arange(channels)[:, None] * distance + np.array(taps, np.int64)).reshape(-1)


@functools.lru_cache
def _first_pixels(vertical, horizontal):
    """For each phase, the row and the column of x at its position (0, 0)."""
    rows, columns = ([phase - axis.before for phase in axis.phases] for axis in (vertical, horizontal))
    return np.array([(h, w) for h in rows for w in columns], np.int64)


@parallel_njit
def _pad_planes(data, x, grid, first, n_planes):
    zeros = np.zeros(VECTOR_BYTES // x.itemsize, x.dtype)
    for plane in numba.prange(n_planes):
        for f in range(len(first)):
            at = (plane * len(first) + f) * grid.high * grid.wide
            x_at = plane * grid.height * grid.width
            if grid.sw == 1:
                _pad_plane(data, at, x, x_at, grid, first[f, 0], first[f, 1], zeros)
            else:
                _pad_plane_exactly(data, at, x, x_at, grid, first[f, 0], first[f, 1], 0)


@numba.njit(cache=True, nogil=True)
def _pad_plane(out, at, x, x_at, grid, y0, x0, zeros):
    """out[u, v] = x[u*sh + y0, v + x0], or 0 outside x, in whole vectors: what one writes too much, the next
    overwrites."""
    height, width, sh, _, high, wide = grid
    lane_count = VECTOR_BYTES // x.itemsize
    first = min(wide, max(0, -x0))
    count = max(0, min(wide, width - x0) - first)
    for u in range(high):
        source = u * sh + y0
        inside = count if 0 <= source < height else 0
        source = x_at + source * width + first + x0
        to = at + u * wide + first
        spill = max(inside, wide) + lane_count  # past `to`, of the zeros behind the row
        if to + spill > at + high * wide or source + inside + lane_count > len(x):
            _pad_plane_exactly(out, at, x, x_at, grid, y0, x0, u)
            return
        if u == 0:
            out[at:to] = 0
        for v in range(0, inside, lane_count):
            copy_vector(out, to + v, x, source + v)
        for v in range(inside, wide, lane_count):  # up to where the next row's numbers begin
            copy_vector(out, to + v, zeros, 0)


@numba.njit(cache=True, nogil=True)
def _pad_plane_exactly(out, at, x, x_at, grid, y0, x0, first_row):
    """out[u, v] = x[u*sh + y0, v*sw + x0], or 0 outside x, from row first_row on, and nothing beyond."""
    height, width, sh, sw, high, wide = grid
    first = min(wide, max(0, -(x0 // sw)))  # ceil(-x0 / sw)
    last = max(first, min(wide, (width - 1 - x0) // sw + 1))
    for u in range(first_row, high):
        row = at + u * wide
        source = u * sh + y0
        start, stop = (first, last) if 0 <= source < height else (wide, wide)
        source = x_at + source * width + x0
        for v in range(start):
            out[row + v] = 0
        if start < stop:
            pick(out, row + start, x, source + start * sw, stop - start, sw)
        for v in range(stop, wide):
            out[row + v] = 0


@numba.njit(cache=True, nogil=True)
def find_runs(runs, pixel, count, tasks, x):
    """Cut output pixels pixel .. pixel+count into runs that are consecutive in the padded image x: rows (place in x,
    lane, length) of `runs`. Returns how many."""
    ho, wo = tasks.ho, tasks.wo
    found = lane = 0
    while lane < count:
        q = (pixel + lane) % (ho * wo)
        length = wo - q % wo if x.row != wo else ho * wo - q
        length = min(length, count - lane)
        runs[found, 0] = (pixel + lane) // (ho * wo) * x.image + q // wo * x.row + q % wo
        runs[found, 1] = lane
        runs[found, 2] = length
        lane += length
        found += 1
    return found


@numba.njit(cache=True, nogil=True)
def pack_panel(panel, at, x, x_at, tap, first, depth, runs):
    """panel[t, lane] = x at (pixel of the lane, tap first + t), in whole vectors where x has room for them."""
    lane_count = VECTOR_BYTES // x.itemsize
    pitch = (VECTORS + 1) * lane_count  # room for what the last run of a row writes too much
    end = 0
    for t in range(first, first + depth):
        end = max(end, tap[t])
    for run in range(len(runs)):
        source, to, length = x_at + runs[run, 0], at + runs[run, 1], runs[run, 2]
        whole = -(-length // lane_count) * lane_count
        if source + end + whole > len(x):  # the very end of an array with no spare vector behind it
            for t in range(depth):
                for lane in range(length):
                    panel[to + t * pitch + lane] = x[source + tap[first + t] + lane]
        else:
            for lane in range(0, whole, lane_count):
                for t in range(depth):
                    copy_vector(panel, to + t * pitch + lane, x, source + tap[first + t] + lane)
