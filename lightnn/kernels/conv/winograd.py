"""3x3 convolution of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications, float32 only.

What it computes. The same sum as dense.correlate, forward or for the gradient of x, tile by tile of 4 x 4 outputs:

    Y = A^T [ sum_c (G g_c G^T) * (B^T d_c B) ] A         Lavin & Gray 2016, arXiv:1509.09308, equation 8

The * is element by element, so the sum over c is 36 matrix products, one for each point p (vector/filtering.py):

    M[p] (O, tiles) = U[p] (O, C) @ V[p] (C, tiles)

With dilation d the pixels (i, j) of one phase (i % d, j % d) meet no others: each phase is an image of its own.

How memory is walked. A panel is up to 3 vectors of tiles, counted through all images. Two ways, of the same sums:

    by rows    the tiles of many panels are transformed into V, which stays in the last cache. Then a task owns ROWS
               filters: it transforms them (U: C*ROWS*36 numbers, in the second cache) and multiplies every panel
    by tiles   with few channels all filters are transformed into U, which stays in the last cache. Then a task owns a
               panel: it transforms its tiles (V, in the second cache) and multiplies them by all filters

Either way ROWS*36 vectors of products M are turned back while they are in the cache, and stored as rows of y.

Why it is fast. A quarter of the multiply-adds, less what a tile loses beyond the border of y (a third at 7x7 and 14x14)
and what the transforms cost: about 700 cycles a channel and 16 tiles, in and out, against 36 a pair of channels.

Rounding. The relative error of a sum is some five times that of the plain sum: 1.4e-6 of the root mean square against
3e-7 for normally distributed numbers, C = 256. Every sum has a fixed order whatever the number of threads or images.
An infinity gives NaN in all of the 16 outputs of the tiles that meet it.
"""

import numba
import numpy as np

from lightnn.kernels.conv.winograd_parts import (
    SPARE,
    TILE,
    Shape,
    filter_steps,
    multiply,
    transform_filters,
    transform_tiles,
)
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.filtering import FEWER
from lightnn.kernels.vector.gemm import ROWS, VECTORS, aligned_empty
from lightnn.kernels.vector.simd import VECTOR_BYTES, lanes

MANY = 4  # panels a thread, for which the tiles are cut among the threads and not the rows
SHARED_BYTES = 8 << 20  # of what all threads use: it stays in the last cache
OWN_BYTES = 1 << 19  # of a thread's transformed tiles: they stay in its second-level cache
TILES_COST, OUTPUTS_COST = 470, 220  # cycles to transform V tiles of a channel, and to turn V tiles of a row back


def fits(dtype, kernel, stride, channels, rows, out, dilation):
    """Whether this way is faster, with so many channels and rows a group (costs in vector instructions). The number of
    images does not count: the same image gives the same numbers in any batch."""
    high, wide = (-(-size // d) for size, d in zip(out, dilation, strict=True))
    if dtype != np.float32 or kernel != (3, 3) or stride != (1, 1) or min(high, wide, channels, rows) < 1:
        return False
    tiles, pixels, phases, v = -(-high // TILE) * -(-wide // TILE), high * wide, dilation[0] * dilation[1], lanes(dtype)
    alone = FEWER / 2 * -(-2 * phases * tiles // v) < 9 * -(-phases * pixels // v)
    here, there = FEWER + TILES_COST / rows + OUTPUTS_COST / channels, 9 * pixels / tiles
    return alone and 1.25 * here < there


def correlate(x, filters, y, b, groups, top_left, dilation):
    """Fill y (N, O, Ho, Wo) with x (N, C, H, W), padded above and on the left, convolved, plus b (O,) or None."""
    if y.size == 0:
        return
    x = np.ascontiguousarray(x)
    (n, c, h, w), (_, o, ho, wo) = x.shape, y.shape
    threads, v, channels = numba.get_num_threads(), lanes(x.dtype), c // groups
    high, wide = (-(-size // (TILE * d)) for size, d in zip((ho, wo), dilation, strict=True))
    panels = -(-n * dilation[0] * dilation[1] * high * wide // (VECTORS * v))
    tiles, rows = FEWER * (channels * VECTORS * v + SPARE), FEWER * (filter_steps(channels) * ROWS + SPARE)
    blocks = groups * -(-(o // groups) // ROWS)
    few = tiles * x.itemsize <= OWN_BYTES and blocks * rows * x.itemsize <= SHARED_BYTES
    by_tiles = few and panels * groups >= MANY * threads
    chunk = min(panels, max(1, SHARED_BYTES // (groups * tiles * x.itemsize)))
    chunk = -(-panels // -(-panels // chunk))
    parts, slices = min(chunk, -(-2 * threads // blocks)), min(channels, -(-4 * threads // (chunk * groups)))
    shape = Shape(n, c, h, w, o, ho, wo, groups, *top_left, *dilation, high, wide, panels, chunk, parts, slices)
    own = (tiles if by_tiles else rows) + VECTORS * v * max(FEWER * ROWS + 17, 12 * (TILE + 2) + 30)
    shared = aligned_empty((blocks, rows) if by_tiles else (chunk * groups, tiles), x.dtype)
    scratch = aligned_empty((threads, own), x.dtype)
    bias = np.zeros(o, y.dtype) if b is None else np.ascontiguousarray(b)
    way = _correlate_by_tiles if by_tiles else _correlate_by_rows
    way(x.reshape(-1), filters, y.reshape(-1), bias, shared, scratch, shape)


@parallel_njit
def _correlate_by_rows(x, filters, y, bias, shared, scratch, shape):
    """Transform the tiles of a chunk; then a task transforms ROWS filters and multiplies the tiles by them."""
    groups, chunk, parts, slices = shape.groups, shape.chunk, shape.parts, shape.slices
    channels, m = shape.c // groups, shape.o // groups
    blocks = -(-m // ROWS)
    for start in range(0, shape.panels, chunk):
        many = min(chunk, shape.panels - start)
        for task in numba.prange(many * groups * slices):
            panel, g, s = task // (groups * slices), task // slices % groups, task % slices
            part = s * channels // slices, (s + 1) * channels // slices
            transform_tiles(
                x, shared[panel * groups + g], scratch[numba.get_thread_id()], shape, start + panel, g, part
            )
        for task in numba.prange(groups * blocks * parts):
            g, block, part = task // (blocks * parts), task // parts % blocks, task % parts
            own = scratch[numba.get_thread_id()]
            size = transform_filters(filters, own, shape, g, block * ROWS)
            for panel in range(part * many // parts, (part + 1) * many // parts):
                place = g, block * ROWS, start + panel
                multiply(own, shared[panel * groups + g], y, bias, own[size:], shape, place)


@parallel_njit
def _correlate_by_tiles(x, filters, y, bias, shared, scratch, shape):
    """Transform the filters; then a task transforms a panel of tiles and multiplies all filters by it."""
    groups, panels = shape.groups, shape.panels
    channels, blocks = shape.c // groups, -(-(shape.o // groups) // ROWS)
    for task in numba.prange(groups * blocks):
        transform_filters(filters, shared[task], shape, task // blocks, task % blocks * ROWS)
    for task in numba.prange(panels * groups):
        panel, g = task // groups, task % groups
        own, size = scratch[numba.get_thread_id()], FEWER * (channels * VECTORS * (VECTOR_BYTES // x.itemsize) + SPARE)
        transform_tiles(x, own, own[size:], shape, panel, g, (0, channels))
        for block in range(blocks):
            multiply(shared[g * blocks + block], own, y, bias, own[size:], shape, (g, block * ROWS, panel))
