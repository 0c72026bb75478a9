"""Depthwise convolution of bytes, requantized to bytes: every channel is filtered by its own m kernels.

What it computes. x (N, C, H, W) uint8 with zero point Z1, w (C*m, 1, KH, KW) int8, y (N, C*m, HO, WO) uint8, c = o//m:

    y[n, o, i, j] = clamp(Z3 + M[o] (b[o] + sum_{k,l} w[o, k, l] (x[n, c, i*sh + k*dh - top, j*sw + l*dw - left] - Z1)))

How memory is walked. Plane by plane: a plane becomes quads by column (image.py) in a scratch buffer, in which four taps
of a row of the window are one quad at one flat offset. A band of about BAND sums is computed as one flat run,
requantized as one, and its rows are copied out; what lies between two rows is thrown away. x and y pass through memory
once.

Why it is fast. A 3 x 3 filter is three instructions and three loads for a vector of 16 sums; in float32 it is nine. The
rest, weaving and requantizing, costs more than the sums. Arithmetic intensity 2*KH*KW operations to 2 bytes of memory
at stride 1, four times that of float32. Threads take planes; sums are exact.
"""

import numba
import numpy as np

from lightnn.kernels.conv.windows import Grid, tap_offsets
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.quantized.image import fill_plane, first_pixels, pack_filters, quad_axes, scratch, weaving_of
from lightnn.kernels.quantized.quads import BEST, At, Left, Right, row1, row4
from lightnn.kernels.quantized.requantize import requantize_row
from lightnn.kernels.vector import simd

__all__ = ["forward", "pack_filters"]

BAND = 1024  # sums in a band: 4 KiB, and as many bytes


def forward(x, filters, out, stride, padding, dilation, path=BEST):
    """y (N, C*m, Ho, Wo) uint8; filters: pack_filters(w) of w (C*m, 1, KH, KW), out: requantize.Output."""
    vertical, horizontal = quad_axes(x.shape, filters.shape, filters.by_column, stride, padding, dilation)
    y = np.empty((len(x), filters.shape[0], vertical.out, horizontal.out), np.uint8)
    if y.size == 0:
        return y
    first = first_pixels(vertical, horizontal)
    grid = Grid(*x.shape[2:], vertical.stride, horizontal.stride, vertical.size, horizontal.size)
    tap = tap_offsets(vertical, horizontal, 1, 0)
    left = Left(filters.quads.reshape(-1), np.zeros(1, np.int64))
    sizes = x.shape[1], len(filters.quads) // x.shape[1], vertical.out, horizontal.out
    x = np.ascontiguousarray(x).reshape(-1)
    args = path, left, x, tap, y.reshape(-1), out, grid, first, weaving_of(filters, dilation), sizes
    run(_planes, _parallel, args, len(y) * sizes[0], y.size * len(tap))
    return y


@parallel_njit
def _parallel(path, left, x, tap, y, out, grid, first, weaving, sizes, pieces, parts):
    for part in numba.prange(parts):
        _planes(
            path,
            left,
            x,
            tap,
            y,
            out,
            grid,
            first,
            weaving,
            sizes,
            part * pieces // parts,
            (part + 1) * pieces // parts,
        )


@numba.njit(cache=True, nogil=True)
def _planes(path, left, x, tap, y, out, grid, first, weaving, sizes, first_plane, last_plane):
    (channels, m, ho, wo), depth = sizes, len(tap)
    block = 4 * path.lanes
    quads = np.zeros(len(first) * grid.high * grid.wide + block, np.uint32)
    own, high = scratch(grid, first, weaving, out.x_zero), min(ho, max(1, BAND // grid.wide))
    sums, bytes_ = np.empty(high * grid.wide + block, np.int32), np.empty(high * grid.wide, np.uint8)
    right = Right(quads, tap)
    for plane in range(first_plane, last_plane):
        fill_plane(quads, 0, x, plane, 0, grid, first, weaving, own)
        for r in range(m):
            o = plane % channels * m + r
            for top in range(0, ho, high):
                band = min(high, ho - top)
                size = (band - 1) * grid.wide + wo
                _add_taps(path, depth, left, right, o * depth, top * grid.wide, sums, size)
                requantize_row(bytes_, 0, sums, 0, size, out, o)
                at = ((plane * m + r) * ho + top) * wo
                for i in range(band):
                    simd.copy(y, at + i * wo, bytes_, i * grid.wide, wo)


@numba.njit(cache=True, nogil=True)
def _add_taps(path, depth, left, right, a, b, sums, size):
    """The sums at the places b .. b + size of a plane, and up to three vectors more."""
    q = 0
    while q + 3 * path.lanes < size:
        row4(path, depth, left, right, At(a, 0, b + q, q), sums, 0)
        q += 4 * path.lanes
    while q < size:
        row1(path, depth, left, right, At(a, 0, b + q, q), sums, 0)
        q += path.lanes
