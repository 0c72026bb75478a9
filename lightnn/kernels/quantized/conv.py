"""Convolution of bytes, dense or in groups, requantized to bytes: an implicit matrix product of quads.

What it computes, for x (N, C, H, W) uint8 with zero point Z1 and w (O, C/G, KH, KW) int8, with P output pixels
(n, i, j) and T taps (c, k, l):

    y[o, P] = clamp(Z3 + M[o] (b[o] + sum_T w[o, T] (patches[T, P] - Z1)), low, high)

Z1 is taken out of the sum beforehand, sum_T w (patches - Z1) = sum_T w patches - Z1 sum_T w[o, T] (Jacob et al. 2018,
arXiv:1712.05877, equation 7): requantize.Output holds b less the last term. So the border of x is filled with Z1.

How memory is walked. x becomes an image of quads once (image.py). A task owns a panel of output pixels of one group and
a part of its rows. It packs the panel, all taps of it, then runs down the filters ROWS at a time; a tile of sums goes
from registers through the first-level cache into uint8, and is never in memory.

Why it is fast. The arithmetic is the micro-kernel's (quads.py). Arithmetic intensity from main memory is 2*O*T*P
operations over O*T + 4*C*H*W*N + O*P bytes. Each sum is exact, so the result depends on no order and no thread count.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv.windows import find_runs, pack_panel, tap_offsets
from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit
from lightnn.kernels.quantized.image import pack_filters, quad_axes, quad_image
from lightnn.kernels.quantized.product import steps
from lightnn.kernels.quantized.quads import BEST, At, Left, Right, tile
from lightnn.kernels.quantized.requantize import requantize_row
from lightnn.kernels.vector.gemm import VECTORS, aligned_empty
from lightnn.kernels.vector.simd import VECTOR_BYTES

__all__ = ["forward", "pack_filters"]


class Tasks(NamedTuple):
    """How a convolution is cut: a task is one panel of one group, and one part of the group's rows."""

    n: int  # images, channels, height and width of y
    o: int
    ho: int
    wo: int
    groups: int
    panels: int
    parts: int


def forward(x, filters, out, stride, padding, dilation, groups=1, path=BEST):
    """y (N, O, Ho, Wo) uint8; x (N, C, H, W) uint8, filters: pack_filters(w), out: requantize.Output."""
    o, _, depth = filters.shape[0], filters.shape[1], filters.quads[0].size
    vertical, horizontal = quad_axes(x.shape, filters.shape, filters.by_column, stride, padding, dilation)
    y = np.empty((len(x), o, vertical.out, horizontal.out), np.uint8)
    if y.size == 0:
        return y
    image = quad_image(x, filters, vertical, horizontal, out.x_zero, dilation, groups)
    tap = tap_offsets(vertical, horizontal, filters.quads.shape[1], image.channel)
    m, width = o // groups, path.lanes * path.vectors
    left = Left(filters.quads.reshape(-1), np.minimum(np.arange(-(-m // path.rows) * path.rows), m - 1) * depth)
    threads, panels = numba.get_num_threads(), -(-y[:, 0].size // width)
    parts = min(-(-m // path.rows), -(-2 * threads // (panels * groups)))
    tasks = Tasks(*y.shape, groups, panels, parts)
    own = aligned_empty((threads, depth * _pitch() + _pitch()), np.uint32)
    edge = aligned_empty((threads, path.rows * width), np.int32)
    few = y.size * depth < SERIAL_WORK
    (_all if few else _parallel)(path, left, image, tap, y.reshape(-1), out, own, edge, tasks)
    return y


@numba.njit(cache=True, nogil=True)
def _pitch():
    """Quads from row to row of a panel: pack_panel's."""
    return (VECTORS + 1) * (VECTOR_BYTES // 4)


@parallel_njit
def _parallel(path, left, image, tap, y, out, own, edge, tasks):
    for task in numba.prange(tasks.groups * tasks.panels * tasks.parts):
        thread = numba.get_thread_id()
        _task(path, left, image, tap, y, out, own[thread], edge[thread], tasks, task)


@numba.njit(cache=True, nogil=True)
def _all(path, left, image, tap, y, out, own, edge, tasks):
    for task in range(tasks.groups * tasks.panels * tasks.parts):
        _task(path, left, image, tap, y, out, own[0], edge[0], tasks, task)


@numba.njit(cache=True, nogil=True)
def _task(path, left, image, tap, y, out, own, edge, tasks, task):
    n, o, ho, wo, groups, panels, parts = tasks
    group, part, panel = task // panels // parts, task // panels % parts, task % panels
    m, width, depth = o // groups, path.lanes * path.vectors, len(tap)
    count, tiles = min(width, n * ho * wo - panel * width), -(-m // path.rows)
    vectors = -(-count // path.lanes)
    runs = np.empty((width, 3), np.int64)
    found = find_runs(runs, panel * width, count, tasks, image)
    pack_panel(own, 0, image.data, group * (image.image // groups), tap, 0, depth, runs[:found])
    right = Right(own, steps(depth, _pitch()))
    pieces = _pieces(panel * width, count, tasks)
    for row in range(part * tiles // parts * path.rows, min(m, (part + 1) * tiles // parts * path.rows), path.rows):
        tile(path, vectors, depth, left, right, At(group * m * depth, row, 0, 0), edge, width)
        for r in range(min(path.rows, m - row)):
            channel = group * m + row + r
            for i in range(len(pieces)):
                place, lane, length = pieces[i, 0] + channel * (ho * wo), r * width + pieces[i, 1], pieces[i, 2]
                requantize_row(y, place, edge, lane, length, out, channel)


@numba.njit(cache=True, nogil=True)
def _pieces(pixel, count, tasks):
    """Where pixels pixel .. pixel + count, counted over all images, lie in y: rows (place of channel 0, lane,
    length)."""
    area, pieces, found, done = tasks.ho * tasks.wo, np.empty((count, 3), np.int64), 0, 0
    while done < count:
        image, q = (pixel + done) // area, (pixel + done) % area
        pieces[found] = image * tasks.o * area + q, done, min(area - q, count - done)
        done += pieces[found, 2]
        found += 1
    return pieces[:found]
