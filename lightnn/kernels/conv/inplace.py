"""Convolution with few output channels: the windows are read where they lie, nothing is packed.

What it computes. The same sum as dense.correlate,

    y[n, g*M + m, p] = sum_t left[g, m, t] * padded[n, g, p + tap[t]] + b[g*M + m]

from the same offset tables.

How memory is walked. Let q = i * row + j number the positions of the padded plane instead of the pixels of y. The
window of q + 1 lies one number after the window of q for every tap at once, so a row of the micro-kernel's B is simply
padded[q + tap[t] : ... + width], and its offset table is `tap` itself. ROWS output channels of a band of rows of y are
computed at all its positions into a scratch array that stays in the first-level cache, then copied to y row by row. The
price is `row - wo` useless positions at the end of each row (2 of 58 for 3x3 at 56x56). The last tile of a band is
moved back to end with it.

Why it is fast. Packing costs about as much as one or two steps of a tile and is repaid by the M / ROWS tiles that use
the panel; with 8 channels a group there is only one. Arithmetic intensity from main memory: 2*M*T flops a pixel over
4*(C + M) bytes, for 8 -> 8 channels 3x3 18 flops a byte, for 1x1 only 2: there the memory sets the pace.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Right, aligned_empty, tile

BAND_BYTES = 16 * 1024  # of scratch: half of a common first-level cache


class Tasks(NamedTuple):
    """How the work is cut: a task is one image, one group, one band of rows of y, one part of the channels."""

    n: int  # images, channels, height and width of y
    o: int
    ho: int
    wo: int
    groups: int
    bands: int
    parts: int
    pitch: int  # of a scratch row


def fits(padded, y, groups):
    """Whether reading in place beats packing (costs in steps of a tile), and stays within the padded image."""
    n, rows, ho, wo = y.shape
    width = VECTORS * simd.lanes(y.dtype)
    tiles = -(-rows // groups // ROWS)
    waste = (padded.row / wo - 1) * tiles
    packing = 0.3 * (width / wo + 2.5)
    return (
        waste < packing and padded.image // groups <= 1 << 20 and ((ho - 1) * padded.row + wo >= width or padded.spare)
    )


def correlate(left, padded, tap, y, b, groups):
    """y[n, g*M + m, p] = sum_t left[g, m, t] * padded[n, g, p + tap[t]] (+ b[g*M + m])."""
    n, o, ho, wo = y.shape
    threads, width = numba.get_num_threads(), VECTORS * simd.lanes(y.dtype)
    bands = -(-ho // max(1, BAND_BYTES // (ROWS * y.itemsize * padded.row)))
    if not padded.spare and (ho // bands - 1) * padded.row + wo < width:
        bands = 1  # a tile must not reach beyond the image
    parts = max(1, min(-(-o // groups // ROWS), 4 * threads // (n * groups * bands)))
    pitch = -(-((-(-ho // bands) - 1) * padded.row + wo) // width) * width
    scratch = aligned_empty((threads, ROWS * pitch), y.dtype)
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    _correlate(left, padded, tap, y.reshape(-1), bias, scratch, Tasks(*y.shape, groups, bands, parts, pitch))


@parallel_njit
def _correlate(left, x, tap, y, bias, scratch, tasks):
    n, o, _, _, groups, bands, parts, _ = tasks
    tiles = -(-(o // groups) // ROWS)
    for task in numba.prange(n * groups * bands * parts):
        place, part = task // parts, task % parts
        first, last = part * tiles // parts * ROWS, (part + 1) * tiles // parts * ROWS
        for row in range(first, last, ROWS):
            _correlate_band(left, x, tap, y, bias, scratch[numba.get_thread_id()], tasks, (place, row))


@numba.njit(cache=True, nogil=True)
def _correlate_band(left, x, tap, y, bias, own, tasks, task):
    """ROWS channels of a band of rows of y, computed in y itself if its rows are as long as those of x."""
    _, o, ho, wo, groups, bands, _, pitch = tasks
    place, row = task
    image, g, band = place // (groups * bands), place // bands % groups, place % bands
    m, area = o // groups, ho * wo
    first, last = band * ho // bands, (band + 1) * ho // bands
    rows, size = min(ROWS, m - row), (last - first - 1) * x.row + wo
    x_at = image * x.image + g * (x.image // groups) + first * x.row
    a_at, y_at = g * (len(left.numbers) // groups), ((image * groups + g) * m + row) * area + first * wo
    width = VECTORS * (simd.VECTOR_BYTES // y.itemsize)
    if x.row == wo and rows == ROWS and len(bias) == 0 and size >= width:
        _tiles(left, Right(x.data, tap), At(a_at, row, 0, x_at, y_at), y, area, size)
        return
    _tiles(left, Right(x.data, tap), At(a_at, row, 0, x_at, 0), own, pitch, size)
    for r in range(rows):
        if len(bias):
            for q in range(r * pitch, r * pitch + size):
                own[q] += bias[g * m + row + r]
        for i in range(last - first):
            simd.copy(y, y_at + r * area + i * wo, own, r * pitch + i * x.row, wo)


@numba.njit(cache=True, nogil=True)
def _tiles(left, right, at, c, c_stride, size):
    """ROWS rows of c at positions 0 .. size, a tile at a time."""
    lane_count = simd.VECTOR_BYTES // c.itemsize
    for start in range(0, size, VECTORS * lane_count):
        vectors = min(VECTORS, -(-(size - start) // lane_count))
        q = max(0, min(start, size - vectors * lane_count))
        tile(vectors, len(right.step), left, right, At(at.a, at.row, 0, at.b + q, at.c + q), c, c_stride, False)
