"""Convolution with few output channels: the windows are read where they lie, nothing is packed.

What it computes. The same sum as dense.py, y[n, g*M + m, p] = sum_k a[g, m, k] * planes[n, g, p + x_tap[k]] + b, from
the same offset tables.

How memory is walked. Let q = oy * row + ox number the positions of the padded plane instead of the pixels of y. The
window of q + 1 lies one number after the window of q for every tap at once, so a row of the micro-kernel's B is simply
planes[q + x_tap[k] : ... + width], and its offset table is x_tap itself. ROWS output channels of a band of rows of y
are computed at all its positions into a scratch array that stays in the first-level cache, then copied to y row by row.
The price is `row - wo` useless positions at the end of each row (2 of 58 for 3x3 at 56x56). The last tile of a band is
moved back to end with it.

Why it is fast. Packing costs about as much as one or two steps of a tile and is repaid by the M / ROWS tiles that
share the panel; with 8 channels a group there is only one. Arithmetic intensity from main memory: 2*M*K flops a pixel
over 4*(C + M) bytes, for 8 -> 8 channels 3x3 18 flops a byte, for 1x1 only 2: there the memory sets the pace.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import ROWS, VECTORS, aligned_empty, lanes, pad_rows, tile

BAND_BYTES = 16 * 1024  # of scratch: half of a common first-level cache


def correlate(weights, planes, x_tap, y, b, groups):
    """y[n, g*M + m, p] = sum_k a[g, m, k] * planes[n, g, p + x_tap[k]] (+ b[g*M + m])."""
    flat, a_row, a_step = weights
    n, rows, ho, wo = y.shape
    threads, width = numba.get_num_threads(), VECTORS * lanes(y.dtype)
    parts = -(-ho // max(1, BAND_BYTES // (ROWS * y.itemsize * planes.row)))
    if not planes.spare and (ho // parts - 1) * planes.row + wo < width:
        parts = 1  # a tile must not reach beyond the planes
    shares = max(1, min(-(-rows // groups // ROWS), 4 * threads // (n * groups * parts)))
    pitch = -(-((-(-ho // parts) - 1) * planes.row + wo) // width) * width
    bands = aligned_empty((threads, ROWS * pitch), y.dtype)
    x_strides = planes.image, planes.image // groups, planes.row
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    sizes = n, groups, rows // groups, parts, shares, pitch, lanes(y.dtype)
    _correlate(
        flat, pad_rows(a_row), a_step, planes.data, x_strides, x_tap, y.reshape(-1), (ho, wo), bias, bands, sizes
    )


@parallel_njit
def _correlate(a, a_row, a_step, x, x_strides, x_tap, y, out_shape, bias, bands, sizes):
    n, groups, m, parts, shares, pitch, lane_count = sizes
    ho, wo = out_shape
    tiles = -(-m // ROWS)
    for task in numba.prange(n * groups * parts * shares):
        image, g, part = task // (shares * parts * groups), task // (shares * parts) % groups, task // shares % parts
        share = task % shares
        band = bands[numba.get_thread_id()]
        first, last = part * ho // parts, (part + 1) * ho // parts
        x_at = image * x_strides[0] + g * x_strides[1] + first * x_strides[2]
        a_at = g * (len(a) // groups)
        for r in range(share * tiles // shares * ROWS, (share + 1) * tiles // shares * ROWS, ROWS):
            rows = min(ROWS, m - r)
            y_at = ((image * groups + g) * m + r) * ho * wo + first * wo
            size = (last - first - 1) * x_strides[2] + wo
            if x_strides[2] == wo and rows == ROWS and len(bias) == 0 and size >= 3 * lane_count:
                _run_tiles(a, a_at, a_row, r, a_step, x, x_at, x_tap, y, y_at, ho * wo, size, lane_count)
                continue
            _run_tiles(a, a_at, a_row, r, a_step, x, x_at, x_tap, band, 0, pitch, size, lane_count)
            for k in range(rows):
                if len(bias):
                    band[k * pitch : k * pitch + size] += bias[g * m + r + k]
                for oy in range(last - first):
                    simd.copy(y, y_at + k * ho * wo + oy * wo, band, k * pitch + oy * x_strides[2], wo)


@numba.njit(cache=True, nogil=True)
def _run_tiles(a, a_at, a_row, r, a_step, x, x_at, x_tap, c, c_at, c_stride, size, lane_count):
    """ROWS rows of c at positions 0 .. size, a tile at a time."""
    for start in range(0, size, 3 * lane_count):
        vectors = min(3, -(-(size - start) // lane_count))
        q = max(0, min(start, size - vectors * lane_count))
        tile(vectors, len(x_tap), a, a_at, a_row, r, a_step, 0, x, x_at + q, x_tap, c, c_at + q, c_stride, False)


def fits(planes, y, groups):
    """Whether reading in place beats packing (costs in steps of a tile), and stays within the planes."""
    n, rows, ho, wo = y.shape
    width = VECTORS * lanes(y.dtype)
    tiles = -(-rows // groups // ROWS)
    waste = (planes.row / wo - 1) * tiles
    packing = 0.3 * (width / wo + 2.5)
    return (
        waste < packing and planes.image // groups <= 1 << 20 and ((ho - 1) * planes.row + wo >= width or planes.spare)
    )
