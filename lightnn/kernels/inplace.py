"""Convolution with few output channels: the windows are read where they lie, nothing is packed.

What it computes. The same sum as dense.py, y[n, g*M + m, p] = sum_k a[g, m, k] * planes[n, g, p + x_tap[k]] + b, from
the same offset tables.

How memory is walked. Let q = oy * row + ox number the positions of the padded plane instead of the pixels of y. The
window of q + 1 lies one number after the window of q for every tap at once, so a row of the micro-kernel's B is simply
planes[q + x_tap[k] : ... + width], and its offset table is x_tap itself. The price is `row - wo` useless positions at
the end of each row of y (2 of 58 for 3x3 at 56x56), dropped when the tile is copied to y. The last tile of an image is
moved back to end with it.

Why it is fast. Packing costs about as much as one or two steps of a tile and is repaid by the M / ROWS tiles that
share the panel; with 8 channels a group there is only one. Arithmetic intensity from main memory: 2*M*K flops a pixel
over 4*(C + M) bytes, for 8 -> 8 channels 3x3 18 flops a byte, for 1x1 only 2: there the memory sets the pace.
"""

import numba
import numpy as np

from lightnn.kernels import parallel_njit
from lightnn.kernels.gemm import ROWS, VECTORS, aligned_empty, copy_vector, lanes, pad_rows, tile


def correlate(weights, planes, x_tap, y, b, groups):
    """y[n, g*M + m, p] = sum_k a[g, m, k] * planes[n, g, p + x_tap[k]] (+ b[g*M + m])."""
    flat, a_row, a_step = weights
    n, rows, ho, wo = y.shape
    lane_count, threads = lanes(y.dtype), numba.get_num_threads()
    tiles = -(-((ho - 1) * planes.row + wo) // (VECTORS * lane_count))
    parts = min(tiles, -(-4 * threads // (n * groups)))
    edges = aligned_empty((threads, ROWS * VECTORS * lane_count), y.dtype)
    x_strides = planes.image, planes.image // groups, planes.row
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    sizes = n, groups, rows // groups, parts, lane_count
    _correlate(
        flat, pad_rows(a_row), a_step, planes.data, x_strides, x_tap, y.reshape(-1), (ho, wo), bias, edges, sizes
    )


@parallel_njit
def _correlate(a, a_row, a_step, x, x_strides, x_tap, y, out_shape, bias, edges, sizes):
    n, groups, m, parts, lane_count = sizes
    positions = (out_shape[0] - 1) * x_strides[2] + out_shape[1]
    tiles = -(-positions // (3 * lane_count))
    for task in numba.prange(n * groups * parts):
        image, g, part = task // (groups * parts), task // parts % groups, task % parts
        edge = edges[numba.get_thread_id()]
        for i in range(part * tiles // parts, (part + 1) * tiles // parts):
            vectors = min(3, -(-(positions - i * 3 * lane_count) // lane_count))
            q = max(0, min(i * 3 * lane_count, positions - vectors * lane_count))
            x_at = image * x_strides[0] + g * x_strides[1] + q
            y_at = (image * groups + g) * m * out_shape[0] * out_shape[1]
            _column(
                vectors, a, g * (len(a) // groups), a_row, a_step, x, x_at, x_strides[2], x_tap,
                y, y_at, out_shape, q, bias, g * m, m, edge, lane_count,
            )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _column(
    vectors, a, a_at, a_row, a_step, x, x_at, x_row, x_tap, y, y_at, out_shape, q, bias, o, m, edge, lane_count
):
    """All M rows of y at positions q .. q + vectors*lane_count."""
    area, wide = out_shape[0] * out_shape[1], vectors * lane_count
    steps = len(x_tap)
    for r in range(0, m, ROWS):
        rows = min(ROWS, m - r)
        if x_row == out_shape[1] and rows == ROWS and len(bias) == 0 and q + wide <= area:
            tile(vectors, steps, a, a_at, a_row, r, a_step, 0, x, x_at, x_tap, y, y_at + r * area + q, area, False)
            continue
        for i in range(rows if len(bias) else 0):
            edge[i * wide : (i + 1) * wide] = bias[o + r + i]
        tile(vectors, steps, a, a_at, a_row, r, a_step, 0, x, x_at, x_tap, edge, 0, wide, len(bias) > 0)
        _copy_tile(edge, wide, rows, y, y_at + r * area, out_shape, q, x_row, lane_count)


@numba.njit(cache=True, nogil=True)
def _copy_tile(edge, wide, rows, y, y_at, out_shape, q, x_row, lane_count):
    """The lanes of a tile that are pixels of y, run by run (a run is part of a row of y)."""
    ho, wo = out_shape
    end = min(ho * wo, (q + wide - 1) // x_row * wo + min(wo, (q + wide - 1) % x_row + 1))  # the tile's last pixel + 1
    oy, ox = q // x_row, q % x_row
    lane = 0
    while lane < wide and oy < ho:
        p = oy * wo + ox
        length = min(wo - ox, wide - lane)
        for i in range(0, length, lane_count):
            if p + i + lane_count <= end:  # what this writes beyond the run, the next run overwrites
                for r in range(rows):
                    copy_vector(y, y_at + r * ho * wo + p + i, edge, r * wide + lane + i)
            else:
                for r in range(rows):
                    for j in range(i, length):
                        y[y_at + r * ho * wo + p + j] = edge[r * wide + lane + j]
                break
        lane += x_row - ox
        oy, ox = oy + 1, 0


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
