"""Images and filters in quads: what lets a convolution of bytes run on 32-bit integers like one of float32.

What it computes. A sum of a convolution runs over (c, k, l). Four of its terms become one quad (quads.py), in one of
two ways, whichever leaves fewer quads:

    by channel   quad (p, k, l) holds channels 4p .. 4p+3 at tap (k, l)             most layers
    by column    quad (c, k, q) holds columns 4q .. 4q+3 of row k of the window     a first layer, depthwise

`pack_filters` does so to the weights, with weights 0 where there is no number. `quad_image` copies x once into planes
of uint32, padded with the zero point and split by phase of the stride as in conv/windows.py: then the quad that output
pixel (n, i, j) needs for step (p, k, l) lies at pixel_offset + tap_offset, and everything that windows.py does with
float32 numbers it does with quads. By column, quad v of a row is x[v], x[v + d], x[v + 2d], x[v + 3d].

How memory is walked. Each byte is read once (by column four times, from a row in the first-level cache) and written
once; no byte is written KH*KW times, as in an im2col matrix.

Why it is fast. Four planes are woven as flat runs, 16 quads at a time (weave.py); by column the four are one plane,
from starts d apart, and what a quad at the end of a row takes from the next one meets weights 0. Arithmetic intensity
0: it costs bandwidth, a quarter of what padding float32 costs.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.conv.windows import Axis, Grid, Padded, axes, axis
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.quantized.weave import weave4, weave4_seconds
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import aligned_empty


class Filters(NamedTuple):
    """Weights (O, C/G, KH, KW) as quads."""

    quads: np.ndarray  # int32 (O, planes, KH, KW or KW/4)
    shape: tuple  # of the weights
    by_column: bool


class Weaving(NamedTuple):
    """Where the bytes of a quad lie."""

    channels: int  # of a group
    planes: int  # of quads, of a group
    channel: int  # from byte to byte: 1 or 0
    column: int  # from byte to byte: 0 or the dilation


def pack_filters(w):
    """Filters of w (O, C/G, KH, KW) int8."""
    o, c, kh, kw = w.shape
    by_column = c * -(-kw // 4) < -(-c // 4) * kw
    if by_column:
        bytes_ = np.zeros((o, c, kh, -(-kw // 4) * 4), np.int8)
        bytes_[..., :kw] = w
        bytes_ = bytes_.reshape(o, c, kh, -(-kw // 4), 4)
    else:
        bytes_ = np.zeros((o, -(-c // 4) * 4, kh, kw), np.int8)
        bytes_[:, :c] = w
        bytes_ = bytes_.reshape(o, -(-c // 4), 4, kh, kw).transpose(0, 1, 3, 4, 2)
    return Filters(np.ascontiguousarray(bytes_).view(np.int32)[..., 0], w.shape, by_column)


@functools.lru_cache
def quad_axes(x_shape, filters_shape, by_column, stride, padding, dilation):
    """The vertical and the horizontal Axis of the image of quads. By column a tap is four columns wide."""
    vertical, horizontal = axes(x_shape, filters_shape[2:], stride, padding, dilation)
    if not by_column:
        return vertical, horizontal
    kw, (sw, d), (before, after) = filters_shape[3], (stride[1], dilation[1]), padding[2:]
    taps = -(-kw // 4)
    after += 4 * d * (taps - 1) - d * (kw - 1)  # as many outputs as with single columns
    quads = axis(x_shape[3], taps, sw, before, after, 4 * d)
    seen = ((quads.out - 1) * sw + d * (kw - 1)) // sw + 1  # up to the last column with a weight
    return vertical, quads._replace(size=max(quads.size, seen))


def quad_image(x, filters, vertical: Axis, horizontal: Axis, zero, dilation, groups=1):
    """Padded, with quads of x (N, C, H, W) uint8 for numbers: N x groups x planes of them, `zero` outside x."""
    n, _, height, width = x.shape
    weaving = weaving_of(filters, dilation)
    first = first_pixels(vertical, horizontal)
    channel = len(first) * vertical.size * horizontal.size
    pieces = n * groups * weaving.planes
    data = aligned_empty(pieces * channel, np.uint32)
    grid = Grid(height, width, vertical.stride, horizontal.stride, vertical.size, horizontal.size)
    x = np.ascontiguousarray(x).reshape(-1)
    run(_fill_planes, _fill_parallel, (data, x, grid, first, weaving, zero), pieces, data.size)
    return Padded(data, groups * weaving.planes * channel, channel, horizontal.size, False)


def weaving_of(filters, dilation):
    channels = filters.shape[1]
    return Weaving(channels, filters.quads.shape[1], 0 if filters.by_column else 1, filters.by_column * dilation[1])


def first_pixels(vertical, horizontal):
    """For each phase, the row and the column of x at its position (0, 0)."""
    rows, columns = ([phase - axis.before for phase in axis.phases] for axis in (vertical, horizontal))
    return np.array([(h, w) for h in rows for w in columns], np.int64)


@parallel_njit
def _fill_parallel(data, x, grid, first, weaving, zero, pieces, parts):
    for part in numba.prange(parts):
        _fill_planes(data, x, grid, first, weaving, zero, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _fill_planes(data, x, grid, first, weaving, zero, first_piece, last_piece):
    size, own = len(first) * grid.high * grid.wide, scratch(grid, first, weaving, zero)
    for piece in range(first_piece, last_piece):
        fill_plane(data, piece * size, x, piece // weaving.planes, piece % weaving.planes, grid, first, weaving, own)


@numba.njit(cache=True, nogil=True)
def scratch(grid, first, weaving, zero):
    """For fill_plane: the bytes to be woven. What lies outside x is written here, once for all planes."""
    return np.full(len(first) * grid.high * grid.wide * max(4, grid.sw) + 3 * weaving.column + 1, zero, np.uint8)


@numba.njit(cache=True, nogil=True)
def fill_plane(data, at, x, group, plane, grid, first, weaving, own):
    """One plane of quads, all its phases: plane `plane` of group `group`, the groups counted over all images. Its bytes
    are copied first, then woven in one run: loads of what was stored a moment ago must wait."""
    area, size, d = grid.height * grid.width, grid.high * grid.wide, weaving.column
    c = 4 * plane if weaving.channel else plane
    source = (group * weaving.channels + c) * area
    for f in range(len(first)):
        to, u0, w, quads = f * size * max(4, grid.sw), first[f, 0], first[f, 1], at + f * size
        if weaving.channel == 0 and grid.sw <= 2:
            _copy_rows(own, to, grid.wide * grid.sw, 1, x, source, u0, w, grid)
            if grid.sw == 1:
                weave4(data, quads, own, to, to + d, to + 2 * d, to + 3 * d, size)
            else:
                weave4_seconds(data, quads, own, to, to + d, to + 2 * d, to + 3 * d, size)
            continue
        for byte in range(min(4, weaving.channels - c) if weaving.channel else 4):
            start = source + byte * weaving.channel * area
            _copy_rows(own, to + byte * size, grid.wide, grid.sw, x, start, u0, w + byte * d, grid)
        weave4(data, quads, own, to, to + size, to + 2 * size, to + 3 * size, size)


@numba.njit(cache=True, nogil=True)
def _copy_rows(own, to, pitch, step, x, source, u0, w, grid):
    """own[to + u*pitch + v] = row u*sh + u0, column v*step + w of the plane of x at `source`, where x has them."""
    start, stop = planes.inside(0, -w, step, grid.width, pitch)
    top, bottom = planes.inside(0, -u0, grid.sh, grid.height, grid.high)
    for u in range(top, bottom):
        row = source + (u * grid.sh + u0) * grid.width + start * step + w
        simd.pick(own, to + u * pitch + start, x, row, stop - start, step)
