"""What winograd.py is made of: panels of tiles, their transforms, the products, the rows of y.

What it computes. The tiles of all images (with dilation, of all phases of all images) are counted through, row by row.
A panel is some of them, a lane each; a run is a part of a panel that lies in one row of an image. Then

    transform_tiles      V[p, t, lane] = B^T d B     p one of the 36 points, t a channel of the group
    transform_filters    U[p, t, r] = G g G^T        r one of ROWS filters
    multiply             M[p, r, lane] = sum_t U[p, t, r] * V[p, t, lane], and y = A^T M A

How memory is walked. Of each run six rows of x are read, transformed downwards (filtering.down) and laid into scratch
rows, with zeros for what is beyond the border; the tiles of a panel are read there side by side (filtering.across).
Four finished rows of a run are copied to y at a time.

Why it is fast. The copy into scratch rows is part of the transform; runs of any length fill whole vectors.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.vector import filtering
from lightnn.kernels.vector.filtering import FEWER
from lightnn.kernels.vector.gemm import ROWS, At, Left, Right, half_tile, tile
from lightnn.kernels.vector.simd import VECTOR_BYTES, copy

TILE = 4  # outputs, along each axis
SPARE = 16  # numbers between the matrices of two points: their rows should not all fall into the same part of a cache


class Shape(NamedTuple):
    """The convolution: y (N, O, Ho, Wo) from x (N, C, H, W), and how its tiles and panels lie."""

    n: int
    c: int
    h: int
    w: int
    o: int
    ho: int
    wo: int
    groups: int
    top: int  # padding; negative crops
    left: int
    dh: int  # dilation
    dw: int
    high: int  # tiles of an image (of a phase of the dilation), and along its rows
    wide: int
    panels: int  # of all tiles
    chunk: int  # of these at a time
    parts: int  # of a chunk's panels, if there are few blocks of rows
    slices: int  # of a group's channels, for the transform of x


class Filters(NamedTuple):
    """The filter from channel c to row r of group g: nine numbers from g*group + r*row + c*step on."""

    numbers: np.ndarray
    group: int
    row: int
    step: int
    turned: bool  # by half a turn: the last tap first


@numba.njit(cache=True, nogil=True)
def filter_steps(channels):
    """Filters are transformed V at a time: whole vectors of ROWS rows and one, two or four steps."""
    return -(-channels // 4) * 4


@numba.njit(cache=True, nogil=True)
def _panel(shape, number, lane_count):
    """(first tile, how many) of a panel: whole vectors, panels of about the same size."""
    tiles = shape.n * shape.dh * shape.dw * shape.high * shape.wide
    vectors = -(-tiles // lane_count)
    first = number * vectors // shape.panels * lane_count
    return first, min(tiles, (number + 1) * vectors // shape.panels * lane_count) - first


@numba.njit(cache=True, nogil=True)
def _width(count, lane_count):
    """Lanes of a panel of so many tiles: whole vectors, or half of one: two halves take the time of a whole one."""
    return lane_count // 2 if 2 * count <= lane_count else -(-count // lane_count) * lane_count


@numba.njit(cache=True, nogil=True)
def _find_runs(runs, first, count, shape):
    """Cut tiles first .. first+count into runs of one row: (image of a phase, row of tiles, column, lane, tiles)."""
    found = lane = 0
    while lane < count:
        t = first + lane
        length = min(shape.wide - t % shape.wide, count - lane)
        runs[found, 0] = t // (shape.high * shape.wide)
        runs[found, 1] = t // shape.wide % shape.high
        runs[found, 2] = t % shape.wide
        runs[found, 3] = lane
        runs[found, 4] = length
        lane += length
        found += 1
    return runs[:found]


# ---- V = B^T d B ----


@numba.njit(cache=True, nogil=True)
def transform_tiles(x, v, own, shape, number, g, part):
    """v[p, t, lane] of the tiles of one panel and the channels t in `part` of group g."""
    lane_count = VECTOR_BYTES // x.itemsize
    tile, count = _panel(shape, number, lane_count)
    width = _width(count, lane_count)
    channels = shape.c // shape.groups
    apart = channels * width + SPARE
    runs = _find_runs(np.empty((width, 5), np.int64), tile, count, shape)
    place = np.zeros(width, np.int64)  # where a tile's rows begin
    at = 0
    for run in range(len(runs)):
        for i in range(runs[run, 4]):
            place[runs[run, 3] + i] = at + i * TILE
        at += runs[run, 4] * TILE + 2
    pitch = at + lane_count
    for t in range(part[0], part[1]):
        at = 0
        for run in range(len(runs)):
            _transform_rows(x, own, at, pitch, shape, g * channels + t, runs[run])
            at += runs[run, 4] * TILE + 2
        if width < lane_count:
            filtering.across_half(v, t * width, apart, own, place, 0, pitch)
            continue
        for k in range(0, width, lane_count):
            filtering.across(v, t * width + k, apart, own, place, k, pitch)


@numba.njit(cache=True, nogil=True)
def _transform_rows(x, own, at, pitch, shape, c, run):
    """B^T d for the six rows of x that a run of tiles meets; zeros beyond the border."""
    phase = run[0] % (shape.dh * shape.dw)
    plane = (run[0] // (shape.dh * shape.dw) * shape.c + c) * shape.h * shape.w
    y0 = run[1] * TILE * shape.dh + phase // shape.dw - shape.top
    x0 = run[2] * TILE * shape.dw + phase % shape.dw - shape.left
    wide, lane_count = run[4] * TILE + 2, VECTOR_BYTES // x.itemsize
    top, bottom = max(0, -(y0 // shape.dh)), min(6, -((y0 - shape.h) // shape.dh))
    left = min(wide, max(0, -(x0 // shape.dw)))
    right = max(left, min(wide, -((x0 - shape.w) // shape.dw)))
    if top >= bottom or left == right:
        left = right = wide
    else:
        start, end = plane + y0 * shape.w + x0 + left * shape.dw, plane + (y0 + (bottom - 1) * shape.dh) * shape.w + x0
        if shape.dw == 1 and end + right + lane_count <= len(x):
            filtering.down(own, at + left, pitch, x, start, shape.dh * shape.w, top, bottom, right - left)
        else:
            here, apart = 6 * pitch, right - left + lane_count
            for r in range(top, bottom):
                for i in range(right - left):
                    own[here + r * apart + i] = x[start + r * shape.dh * shape.w + i * shape.dw]
            filtering.down(own, at + left, pitch, own, here, apart, top, bottom, right - left)
    for r in range(6):
        for i in range(left):
            own[at + r * pitch + i] = 0
        for i in range(right, wide):
            own[at + r * pitch + i] = 0


# ---- U = G g G^T, M = U V, Y = A^T M A ----


@numba.njit(cache=True, nogil=True)
def transform_filters(filters, u, shape, g, row):
    """u[p, t, r] of ROWS filters and every channel t; returns its size. What is beyond the last row or channel repeats
    it."""
    channels, m, lane_count = shape.c // shape.groups, shape.o // shape.groups, VECTOR_BYTES // u.itemsize
    steps = filter_steps(channels)
    apart = steps * ROWS + SPARE
    place = np.empty(steps * ROWS, np.int64)
    for t in range(steps):
        at = g * filters.group + min(t, channels - 1) * filters.step
        for r in range(ROWS):
            place[t * ROWS + r] = at + min(row + r, m - 1) * filters.row
    for i in range(0, steps * ROWS, lane_count):
        filtering.filters(u, i, apart, filters.numbers, place, i, filters.turned)
    return FEWER * apart


@numba.njit(cache=True, nogil=True)
def multiply(u, v, y, bias, own, shape, place):
    """ROWS rows of y, from `row` of group g on, at the tiles of a panel."""
    g, row, panel = place
    lane_count, channels, m = VECTOR_BYTES // y.itemsize, shape.c // shape.groups, shape.o // shape.groups
    first, count = _panel(shape, panel, lane_count)
    width = _width(count, lane_count)
    left, right = Left(u, np.arange(ROWS), np.arange(channels) * ROWS), Right(v, np.arange(channels) * width)
    for p in range(FEWER):
        at = At(p * (filter_steps(channels) * ROWS + SPARE), 0, 0, p * (channels * width + SPARE), p * ROWS * width)
        if width < lane_count:
            half_tile(channels, left, right, at, own, width, False)
        else:
            tile(width // lane_count, channels, left, right, at, own, width, False)
    pitch = -(-width // lane_count) * lane_count * TILE
    outputs = own[FEWER * ROWS * width + lane_count :]
    runs = _find_runs(np.empty((width, 5), np.int64), first, count, shape)
    for r in range(min(ROWS, m - row)):
        o = g * m + row + r
        for k in range(0, width, lane_count):
            # finished outputs: what a layer does to them next belongs here, in the transform's registers, or in _store
            filtering.back(outputs, k * TILE, pitch, own, r * width + k, ROWS * width, bias[o])
        _store(outputs, pitch, y, shape, o, runs)


@numba.njit(cache=True, nogil=True)
def _store(outputs, pitch, y, shape, o, runs):
    """Four rows of each run of tiles, finished, to channel o of y."""
    for k in range(len(runs)):
        image, row, column, lane, length = runs[k]
        phase = image % (shape.dh * shape.dw)
        a, b = phase // shape.dw, phase % shape.dw
        plane = (image // (shape.dh * shape.dw) * shape.o + o) * shape.ho * shape.wo
        count = min(length * TILE, -((b - shape.wo) // shape.dw) - column * TILE)
        for i in range(TILE):
            h = (row * TILE + i) * shape.dh + a
            if h >= shape.ho:
                break
            to, source = plane + h * shape.wo + column * TILE * shape.dw + b, i * pitch + lane * TILE
            if shape.dw == 1:
                copy(y, to, outputs, source, count)
            else:
                for q in range(count):
                    y[to + q * shape.dw] = outputs[source + q]
