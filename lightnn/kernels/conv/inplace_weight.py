"""Weight gradient with few output channels: pixels lie in the lanes of a vector, nothing is transposed.

What it computes. The same sum as dense.backward_weight,

    dw[g*M + m, t] = sum_(n, q) dy[n, g*M + m, q] * padded[n, g, q + tap[t]]

over the positions q = i * row + j of the padded plane, as in inplace.py.

How memory is walked. A block of rows of dy, of all M channels of a group, is copied into a scratch array with the
plane's row length (zeros in the gaps), so that both operands are runs of consecutive numbers. A tile is ROWS channels x
TAPS taps of dw; each of its sums is a vector, in whose lane v pixels v, v + V, ... are added up. The lanes are added at
the very end.

Why it is fast. In dense.py a lane is an output channel, and with 8 channels a group half of a vector of 16 would be
idle. Here a step is ROWS + TAPS loads for ROWS * TAPS multiply-adds, all lanes at work but for the gaps. Arithmetic
intensity from the first-level cache: 2*8*3 flops to 4*(8 + 3) bytes, 1.1 flops a byte, enough for one multiply-add
instruction a cycle.

Threads take groups, or equal chunks of the blocks, as many as dense_weight.py says; a sum has a fixed order, whatever
the number of threads.
"""

from typing import NamedTuple

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.conv.dense_weight import FEW_GROUPS, chunks_for
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Right, aligned_empty
from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, fields, index, lanes, multiply_add
from lightnn.kernels.vector.taps import sum_lanes

TAPS = VECTORS  # a tile of dw: its accumulators fill the registers, as those of gemm.py
POSITIONS = 256  # in a block: ROWS rows of dy and the taps' runs stay in the first-level cache


class Tasks(NamedTuple):
    """How the work is cut: a task is one chunk of the blocks (`high` rows of one image) and one group."""

    n: int  # images, channels, height and width of dy
    o: int
    ho: int
    wo: int
    groups: int
    chunks: int
    blocks: int  # of an image
    high: int  # rows of a block
    pitch: int  # of a scratch row


class Runs(NamedTuple):
    """ROWS runs of dy, `stride` numbers apart."""

    numbers: np.ndarray
    stride: int


def fits(padded, reach, dy_shape, groups):
    """Whether few lanes are lost here (costs in multiply-adds a pixel and tap), and reading stays within the padded
    image."""
    _, o, ho, wo = dy_shape
    m, lane_count = o // groups, lanes(padded.data.dtype)
    here = -(-m // ROWS) * ROWS / lane_count * (padded.row / wo)
    there = -(-m // lane_count)
    size = (ho - 1) * padded.row + wo + reach
    return here < there and (padded.spare or padded.data.size >= size + lane_count)


def run(dy, padded, tap, dw, groups):
    """Add up dw (groups*M, T)."""
    n, o, ho, wo = dy.shape
    m, taps, lane_count, threads = o // groups, len(tap), lanes(dy.dtype), numba.get_num_threads()
    high = min(ho, max(1, POSITIONS // padded.row))
    blocks = -(-ho // high)
    chunks = 1 if groups >= FEW_GROUPS else min(chunks_for(n * ho * wo), n * blocks)
    row_tiles, tap_tiles = -(-m // ROWS), -(-taps // TAPS)
    pitch = (2 - -((high - 1) * padded.row + wo) // lane_count) * lane_count  # a spare vector before and behind
    runs = aligned_empty((threads, row_tiles * ROWS * pitch), dy.dtype)
    sums = aligned_empty((chunks, groups, row_tiles * tap_tiles * ROWS * TAPS * lane_count), dy.dtype)
    tap = np.append(tap, np.repeat(tap[-1], tap_tiles * TAPS - taps))
    _add_chunks(padded, tap, dy.reshape(-1), runs, sums, Tasks(*dy.shape, groups, chunks, blocks, high, pitch))
    _add_lanes(sums, dw.reshape(-1), (groups, m, taps))


@parallel_njit
def _add_chunks(x, tap, dy, runs, sums, tasks):
    groups, chunks, pieces = tasks.groups, tasks.chunks, tasks.n * tasks.blocks
    for task in numba.prange(chunks * groups):
        chunk, g = task // groups, task % groups
        own, run = sums[chunk, g], runs[numba.get_thread_id()]
        own[:] = 0
        run[:] = 0
        for piece in range(chunk * pieces // chunks, (chunk + 1) * pieces // chunks):
            _add_block(x, tap, dy, run, own, tasks, g, piece)


@numba.njit(cache=True, nogil=True)
def _add_block(x, tap, dy, run, own, tasks, g, piece):
    _, o, ho, wo, groups, _, blocks, high, pitch = tasks
    m, lane_count = o // groups, VECTOR_BYTES // dy.itemsize
    image, first = piece // blocks, piece % blocks * high
    rows = min(high, ho - first)
    size = (rows - 1) * x.row + wo
    for r in range(m):
        at = ((image * groups + g) * m + r) * ho * wo + first * wo
        for i in range(rows):
            simd.copy(run, r * pitch + lane_count + i * x.row, dy, at + i * wo, wo)
        run[r * pitch + lane_count + size : (r + 1) * pitch] = 0  # of a higher block before
    steps = -(-size // lane_count)
    x_at = image * x.image + g * (x.image // groups) + first * x.row
    reach = 0
    for t in range(len(tap)):
        reach = max(reach, tap[t])
    back = max(0, x_at + reach + steps * lane_count - len(x.data))  # where x ends with its last pixel
    for r in range(0, m, ROWS):
        for t in range(0, len(tap), TAPS):
            c_at = (r // ROWS * len(tap) + t) * ROWS * lane_count
            at = At(r * pitch + lane_count - back, 0, t, x_at - back, c_at)
            dot_tile(steps, Runs(run, pitch), Right(x.data, tap), at, own)


@parallel_njit
def _add_lanes(sums, dw, shape):
    """dw[g*M + m, t] = sum over chunks and lanes, in order, of sums[chunk, g, m // ROWS, t // TAPS, tap, row, lane]."""
    groups, m, taps = shape
    lane_count, all_taps = VECTOR_BYTES // dw.itemsize, -(-taps // TAPS) * TAPS
    for g in numba.prange(groups):
        for chunk in range(1, len(sums)):
            for i in range(sums.shape[2]):
                sums[0, g, i] += sums[chunk, g, i]
        for r in range(m):
            for t in range(taps):
                at = ((r // ROWS * all_taps + t) * ROWS + r % ROWS) * lane_count
                dw[(g * m + r) * taps + t] = lane_sum(sums[0, g], at)


# ---- plain versions ----


def _plain_dot_tile(steps, left, right, at, c):
    n = VECTOR_BYTES // c.itemsize
    for t in range(TAPS):
        window = right.numbers[at.b + right.step[at.step + t] :][: steps * n]
        for r in range(ROWS):
            products = window * left.numbers[at.a + r * left.stride :][: steps * n]
            c[at.c + (t * ROWS + r) * n :][:n] += products.reshape(steps, n).sum(0)


def _plain_lane_sum(c, at):
    return c[at : at + VECTOR_BYTES // c.itemsize].sum()


# ---- in LLVM vectors ----


@intrinsic
def _dot_tile(typing_context, steps, left, right, at, c):
    def emit(context, builder, signature, args):
        dys, dy_stride = fields(context, builder, signature.args[1], args[1])
        xs, taps = fields(context, builder, signature.args[2], args[2])
        at_a, _, at_tap, at_b, at_c = fields(context, builder, signature.args[3], args[3])
        out = Flat(context, builder, signature.args[4], args[4])
        runs = [builder.add(at_a, builder.mul(dy_stride, index(r))) for r in range(ROWS)]
        windows = [builder.add(at_b, taps.load(builder.add(at_tap, index(t)))) for t in range(TAPS)]
        places = [(t, r) for t in range(TAPS) for r in range(ROWS)]
        address = {(t, r): builder.add(at_c, index((t * ROWS + r) * out.lanes)) for t, r in places}
        sums = {p: cgutils.alloca_once_value(builder, out.load_vector(address[p])) for p in places}
        fma = multiply_add(builder, ir.VectorType(out.scalar, out.lanes))
        with cgutils.for_range(builder, args[0]) as loop:
            pixel = builder.mul(loop.index, index(out.lanes))
            values = [xs.load_vector(builder.add(start, pixel)) for start in windows]
            for r in range(ROWS):
                gradient = dys.load_vector(builder.add(runs[r], pixel))
                for t in range(TAPS):
                    builder.store(builder.call(fma, [gradient, values[t], builder.load(sums[t, r])]), sums[t, r])
            simd.keep_steps_apart(builder)
        for p in places:
            out.store_vector(builder.load(sums[p]), address[p])

    return types.void(types.int64, left, right, at, c), emit


@intrinsic
def _lane_sum(typing_context, c, at):
    def emit(context, builder, signature, args):
        return sum_lanes(builder, Flat(context, builder, signature.args[0], args[0]).load_vector(args[1]))

    return c.dtype(c, types.int64), emit


if numba.config.DISABLE_JIT:
    dot_tile, lane_sum = _plain_dot_tile, _plain_lane_sum
else:
    dot_tile, lane_sum = _dot_tile, _lane_sum
