"""The weight gradient of a dense convolution as an implicit matrix product; the other two products are in dense.py.

What it computes. dw[o, T] = sum_P patches[T, P] * dy[o, P], over P output pixels (n, i, j) and T taps (c, k, l).

How memory is walked. Blocks of PIXELS pixels. The panel of the micro-kernel (gemm.py) is a transposed piece of dy, a
lane for each output channel; the broadcast operand is the padded image itself, read in place through an offset for each
tap and one for each pixel. The im2col matrix never exists. Sums are kept tap by tap in whole vectors and turned into
dw's order at the end.

Why it is fast. Each transposed number of dy is used T times, and all the arithmetic is in the micro-kernel. Arithmetic
intensity as in dense.py. Threads take groups, taps, or, where these are few, chunks of pixels whose sums are added in
order. How many chunks there are depends on the shapes alone, so the rounding does not depend on the number of threads.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv.windows import Spot
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import turn
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Left, Right, aligned_empty, tile
from lightnn.kernels.vector.simd import VECTOR_BYTES, lanes

PIXELS = 256  # pixels in a block
FEW_TAPS, FEW_GROUPS = 32 * ROWS, 16  # below both, the pixels are cut too


class Tasks(NamedTuple):
    """How the product is cut: a task is one chunk of the pixels, one part of the taps, one group."""

    n: int  # images, channels, height and width of dy
    o: int
    ho: int
    wo: int
    groups: int
    chunks: int
    parts: int
    part: int  # taps in a part


class Task(NamedTuple):
    group: int
    first_tap: int
    first_pixel: int
    last_pixel: int


def chunks_for(pixels):
    """Into how many chunks the sum over so many pixels is cut: enough for threads, and each long against its sums."""
    return max(4, min(16, pixels // (8 * PIXELS)))


def run(dy, padded, tap, dw, groups):
    """dw[g, m, t] = sum_(n, p) padded[n, g, p + tap[t]] * dy[n, g*M + m, p]: choose the tasks and run them."""
    n, o, ho, wo = dy.shape
    m, taps, pixels, lane_count = o // groups, len(tap), n * ho * wo, lanes(dy.dtype)
    threads = numba.get_num_threads()
    chunks = min(chunks_for(pixels), pixels) if taps < FEW_TAPS and groups < FEW_GROUPS else 1
    parts = threads if chunks == 1 and groups < 2 * threads else 1
    part = -(-taps // (ROWS * parts)) * ROWS
    tap = np.append(tap, np.repeat(tap[-1], parts * part - taps))
    sums = aligned_empty((chunks, groups, parts * part * -(-m // lane_count) * lane_count), dy.dtype)
    panels = aligned_empty((threads, PIXELS * VECTORS * lane_count), dy.dtype)
    panels[:] = 0
    _weight(padded, tap, dy.reshape(-1), sums, panels, Tasks(*dy.shape, groups, chunks, parts, part))
    _sum_chunks(sums, dw.reshape(-1), (groups, m, taps))


@parallel_njit
def _weight(x, tap, dy, sums, panels, tasks):
    n, _, ho, wo, groups, chunks, parts, part = tasks
    pixels = n * ho * wo
    for number in numba.prange(chunks * parts * groups):
        chunk, group = number // (parts * groups), number % groups
        first_tap = number // groups % parts * part
        task = Task(group, first_tap, chunk * pixels // chunks, (chunk + 1) * pixels // chunks)
        _weight_block(x, tap, dy, sums[chunk, group], panels[numba.get_thread_id()], tasks, task)


@numba.njit(cache=True, nogil=True)
def _weight_block(x, tap, dy, sums, panel, tasks, task):
    """sums[t, lane] for the task's taps and pixels, up to 3 vectors of output channels at a time."""
    groups, parts, part = tasks.groups, tasks.parts, tasks.part
    m, lane_count = tasks.o // groups, VECTOR_BYTES // dy.itemsize
    offset, step = np.empty(PIXELS, np.int64), np.empty(PIXELS, np.int64)
    left, right = Left(x.data, tap, offset), Right(panel, step)
    for pixel in range(task.first_pixel, task.last_pixel, PIXELS):
        depth = min(PIXELS, task.last_pixel - pixel)
        _pixel_offsets(offset, pixel, depth, tasks, x)
        for r in range(0, m, VECTORS * lane_count):
            vectors = min(VECTORS, -(-(m - r) // lane_count))
            wide = vectors * lane_count
            for t in range(depth):
                step[t] = t * wide
            spot = Spot(pixel, depth, task.group * m + r, min(wide, m - r))
            _transpose_dy(panel, wide, dy, tasks, spot)
            for t in range(task.first_tap, task.first_tap + part, ROWS):
                at = At(task.group * (x.image // groups), t, 0, 0, r * parts * part + t * wide)
                tile(vectors, depth, left, right, at, sums, wide, pixel > task.first_pixel)


@numba.njit(cache=True, nogil=True)
def _pixel_offsets(offset, pixel, depth, tasks, x):
    """Where the padded image holds output pixels pixel .. pixel+depth (tap 0)."""
    ho, wo = tasks.ho, tasks.wo
    for i in range(depth):
        q = (pixel + i) % (ho * wo)
        offset[i] = (pixel + i) // (ho * wo) * x.image + q // wo * x.row + q % wo


@numba.njit(cache=True, nogil=True)
def _transpose_dy(panel, wide, dy, tasks, spot):
    """panel[p, lane] = dy[n, row + lane, q] of pixel p = (n, q): in whole blocks of V x V where they fit."""
    o, area, lane_count, done = tasks.o, tasks.ho * tasks.wo, VECTOR_BYTES // dy.itemsize, 0
    while done < spot.count:
        image, q = (spot.pixel + done) // area, (spot.pixel + done) % area
        length = min(area - q, spot.count - done)
        at = (image * o + spot.row) * area + q
        for lane in range(0, wide, lane_count):
            whole = length // lane_count * lane_count
            if at + (lane + lane_count) * area > len(dy):  # a block would read rows beyond the last
                whole = 0
            for i in range(0, whole, lane_count):
                turn.block(panel, (done + i) * wide + lane, wide, dy, at + lane * area + i, area)
            for r in range(lane, min(spot.rows, lane + lane_count) if whole < length else 0):
                for i in range(whole, length):
                    panel[(done + i) * wide + r] = dy[at + r * area + i]
        done += length


@parallel_njit
def _sum_chunks(sums, dw, shape):
    """dw[g, m, t] = sum over chunks, in order, of sums[chunk, g, panel, t, lane]."""
    groups, m, taps = shape
    chunks, _, size = sums.shape
    lane_count = VECTOR_BYTES // dw.itemsize
    width = VECTORS * lane_count
    panels, parts = -(-m // width), -(-taps // 256)
    all_taps = size // (-(-m // lane_count) * lane_count)
    for task in numba.prange(groups * panels * parts):
        g, o, part = task // (panels * parts), task // parts % panels * width, task % parts
        wide = min(width, -(-(m - o) // lane_count) * lane_count)
        first, last = part * 256, min(taps, part * 256 + 256)
        start = o * all_taps
        for chunk in range(1, chunks):
            for i in range(start + first * wide, start + last * wide):
                sums[0, g, i] += sums[chunk, g, i]
        for r in range(0, wide, lane_count):
            rows = min(lane_count, m - o - r)
            for t in range(first, last, lane_count):
                source, to = start + t * wide + r, (g * m + o + r) * taps + t
                if rows == lane_count and t + lane_count <= last:
                    turn.block(dw, to, taps, sums[0, g], source, wide)
                else:
                    for i in range(min(lane_count, last - t)):
                        for j in range(rows):
                            dw[to + j * taps + i] = sums[0, g, source + i * wide + j]
