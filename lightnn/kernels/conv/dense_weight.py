"""The weight gradient of a dense convolution as an implicit matrix product; the other two products are in dense.py.

What it computes. dw[o, K] = sum_P patches[K, P] * dy[o, P], over P output pixels (n, oy, ox) and K taps (c, i, j).

How memory is walked. Blocks of PIXELS pixels. The panel of the micro-kernel (gemm.py) is a transposed piece of dy, a
lane for each output channel; the broadcast operand is the padded image itself, read in place through an offset for each
tap and one for each pixel. The im2col matrix never exists. Sums are kept tap by tap in whole vectors and turned into
dw's order at the end.

Why it is fast. Each transposed number of dy is used K times, and all the arithmetic is in the micro-kernel. Arithmetic
intensity as in dense.py. Threads take groups, taps, or chunks of pixels whose sums are added in order; so with few taps
the rounding depends on the number of threads, and only there.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import ROWS, VECTORS, aligned_empty, lanes, tile, transpose_block

PIXELS = 256  # pixels in a block


def run(dy, planes, x_tap, dw, groups):
    """dw[g, m, k] = sum_(n, p) planes[n, g, pixel p + x_tap[k]] * dy[n, g*M + m, p]: choose the tasks and run them."""
    n, o, ho, wo = dy.shape
    m, k, pixels = o // groups, len(x_tap), n * ho * wo
    threads = numba.get_num_threads()
    by_taps = threads if k >= 8 * ROWS * threads and groups < 2 * threads else 1
    chunks = threads if by_taps == 1 and groups < 4 * threads else 1
    chunks = min(chunks, pixels)
    lane_count = lanes(dy.dtype)
    k_part = -(-k // (ROWS * by_taps)) * ROWS
    x_row = np.append(x_tap, np.repeat(x_tap[-1], by_taps * k_part - k))
    m_wide = -(-m // lane_count) * lane_count
    sums = aligned_empty((chunks, groups, by_taps * k_part * m_wide), dy.dtype)
    panels = aligned_empty((threads, PIXELS * VECTORS * lane_count), dy.dtype)
    panels[:] = 0
    strides = planes.image, planes.image // groups, planes.row
    sizes = groups, m, k_part, by_taps, chunks
    _weight(planes.data, strides, x_row, dy.reshape(-1), (n, ho, wo), sums, panels, sizes, lane_count)
    _sum_chunks(sums, dw.reshape(-1), (groups, m, k), lane_count)


@parallel_njit
def _weight(x, strides, x_row, dy, out_shape, sums, panels, sizes, lane_count):
    groups, m, k_part, by_taps, chunks = sizes
    pixels = out_shape[0] * out_shape[1] * out_shape[2]
    for task in numba.prange(chunks * by_taps * groups):
        chunk, taps, g = task // (by_taps * groups), task // groups % by_taps, task % groups
        bounds = chunk * pixels // chunks, (chunk + 1) * pixels // chunks
        own = panels[numba.get_thread_id()]
        _weight_block(
            x, strides, x_row, dy, out_shape, sums[chunk, g], own, sizes, lane_count, g, taps * k_part, bounds
        )


@numba.njit(cache=True, nogil=True)
def _weight_block(x, strides, x_row, dy, out_shape, sums, own, sizes, lane_count, g, k0, bounds):
    """sums[panel][k0 : k0 + k_part, lane] over the pixels within bounds; panel = up to 3 vectors of output channels."""
    groups, m, k_part, by_taps, _ = sizes
    width = 3 * lane_count
    offsets, b_step = np.empty(PIXELS, np.int64), np.empty(PIXELS, np.int64)
    for p in range(bounds[0], bounds[1], PIXELS):
        depth = min(PIXELS, bounds[1] - p)
        pixel_offsets(offsets, p, depth, out_shape, strides)
        for o in range(0, m, width):
            vectors = min(3, -(-(m - o) // lane_count))
            wide = vectors * lane_count
            for t in range(depth):
                b_step[t] = t * wide
            transpose_dy(own, wide, dy, out_shape, groups * m, g * m + o, min(wide, m - o), p, depth, lane_count)
            c_at = o * by_taps * k_part
            for k in range(k0, k0 + k_part, ROWS):
                tile(
                    vectors, depth, x, g * strides[1], x_row, k, offsets, 0,
                    own, 0, b_step, sums, c_at + k * wide, wide, p > bounds[0],
                )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def pixel_offsets(offsets, p, depth, out_shape, strides):
    """Where the planes hold output pixels p .. p+depth (tap 0)."""
    _, ho, wo = out_shape
    for i in range(depth):
        q = (p + i) % (ho * wo)
        offsets[i] = (p + i) // (ho * wo) * strides[0] + q // wo * strides[2] + q % wo


@numba.njit(cache=True, nogil=True)
def transpose_dy(own, wide, dy, out_shape, all_rows, row, rows, pixel, depth, lane_count):
    """own[p, lane] = dy[n, row + lane, q] of pixel p = (n, q): blocks of lane_count x lane_count where they fit."""
    area = out_shape[1] * out_shape[2]
    done = 0
    while done < depth:
        image, q = (pixel + done) // area, (pixel + done) % area
        length = min(area - q, depth - done)
        at = (image * all_rows + row) * area + q
        for lane in range(0, wide, lane_count):
            whole = length // lane_count * lane_count
            if at + (lane + lane_count) * area > len(dy):  # a block would read rows beyond the last
                whole = 0
            for i in range(0, whole, lane_count):
                transpose_block(own, (done + i) * wide + lane, wide, dy, at + lane * area + i, area)
            for r in range(lane, min(rows, lane + lane_count) if whole < length else 0):
                for i in range(whole, length):
                    own[(done + i) * wide + r] = dy[at + r * area + i]
        done += length


@parallel_njit
def _sum_chunks(sums, dw, shape, lane_count):
    """dw[g, m, k] = sum over chunks, in order, of sums[chunk, g, panel, k, lane]."""
    groups, m, k = shape
    chunks, _, size = sums.shape
    panels = -(-m // (3 * lane_count))
    parts = -(-k // 256)
    k_all = size // (-(-m // lane_count) * lane_count)
    for task in numba.prange(groups * panels * parts):
        g, o, part = task // (panels * parts), task // parts % panels * 3 * lane_count, task % parts
        wide = min(3 * lane_count, -(-(m - o) // lane_count) * lane_count)
        first, last = part * 256, min(k, part * 256 + 256)
        start = o * k_all
        for chunk in range(1, chunks):
            for i in range(start + first * wide, start + last * wide):
                sums[0, g, i] += sums[chunk, g, i]
        for r in range(0, wide, lane_count):
            rows = min(lane_count, m - o - r)
            for t in range(first, last, lane_count):
                source, to = start + t * wide + r, (g * m + o + r) * k + t
                if rows == lane_count and t + lane_count <= last:
                    transpose_block(dw, to, k, sums[0, g], source, wide)
                else:
                    for i in range(min(lane_count, last - t)):
                        for j in range(rows):
                            dw[to + j * k + i] = sums[0, g, source + i * wide + j]
