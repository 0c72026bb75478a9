"""Weight gradient with few output channels: pixels lie in the lanes of a vector, nothing is transposed.

What it computes. The same sum as dense.backward_weight, dw[g*M + m, k] = sum_(n, q) dy[n, g*M + m, q] *
planes[n, g, q + x_tap[k]], over the positions q = oy * row + ox of the padded plane, as in inplace.py.

How memory is walked. A block of rows of dy, of all M channels of a group, is copied into a scratch array with the
plane's row length (zeros in the gaps), so that both operands are runs of consecutive numbers. A tile is ROWS channels x
TAPS taps of dw; each of its sums is a vector, in whose lane i pixels i, i + LANES, ... are added up. The lanes are
added at the very end.

Why it is fast. In dense.py a lane is an output channel, and with 8 channels a group half of a vector of 16 would be
idle. Here a step is ROWS + TAPS loads for ROWS * TAPS multiply-adds, all lanes at work but for the gaps. Arithmetic
intensity from the first-level cache: 2*8*3 flops to 4*(8 + 3) bytes, 1.1 flops a byte, enough for one multiply-add
instruction a cycle.

Threads take groups, or equal parts of the blocks; a sum has a fixed order for a given number of threads.
"""

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.correlate import sum_lanes
from lightnn.kernels.vector.gemm import ROWS, VECTORS, aligned_empty, lanes
from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, index, multiply_add

TAPS = VECTORS  # a tile of dw: its accumulators fill the registers, as those of gemm.py
POSITIONS = 256  # in a block: ROWS rows of dy and the taps' runs stay in the first-level cache


def fits(planes, reach, dy_shape, groups):
    """Whether few lanes are lost here (costs in multiply-adds a pixel and tap), and reading stays within the planes."""
    _, o, ho, wo = dy_shape
    m, lane_count = o // groups, lanes(planes.data.dtype)
    here = -(-m // ROWS) * ROWS / lane_count * (planes.row / wo)
    there = -(-m // lane_count)
    size = (ho - 1) * planes.row + wo + reach
    return here < there and (planes.spare or planes.data.size >= size + lane_count)


def run(dy, planes, x_tap, dw, groups):
    """Add up dw (groups*M, K)."""
    n, o, ho, wo = dy.shape
    m, k, lane_count, threads = o // groups, len(x_tap), lanes(dy.dtype), numba.get_num_threads()
    high = min(ho, max(1, POSITIONS // planes.row))
    blocks = -(-ho // high)
    chunks = 1 if groups >= 4 * threads else min(threads, n * blocks)
    m_tiles, k_tiles = -(-m // ROWS), -(-k // TAPS)
    pitch = (2 - -((high - 1) * planes.row + wo) // lane_count) * lane_count  # a spare vector before and behind
    runs = aligned_empty((threads, m_tiles * ROWS * pitch), dy.dtype)
    sums = aligned_empty((chunks, groups, m_tiles * k_tiles * ROWS * TAPS * lane_count), dy.dtype)
    x_tap = np.append(x_tap, np.repeat(x_tap[-1], k_tiles * TAPS - k))
    sizes = groups, m, k, chunks, high, blocks, pitch, lane_count
    strides = planes.image, planes.image // groups, planes.row
    _add_chunks(planes.data, strides, x_tap, dy.reshape(-1), (n, ho, wo), runs, sums, sizes)
    _add_lanes(sums, dw.reshape(-1), sizes)


@parallel_njit
def _add_chunks(x, strides, x_tap, dy, out_shape, runs, sums, sizes):
    groups, _, _, chunks, _, blocks, _, _ = sizes
    pieces = out_shape[0] * blocks
    for task in numba.prange(chunks * groups):
        chunk, g = task // groups, task % groups
        own, run = sums[chunk, g], runs[numba.get_thread_id()]
        own[:] = 0
        run[:] = 0
        for piece in range(chunk * pieces // chunks, (chunk + 1) * pieces // chunks):
            _add_block(x, strides, x_tap, dy, out_shape, run, own, sizes, g, piece)


@numba.njit(cache=True, nogil=True)
def _add_block(x, strides, x_tap, dy, out_shape, run, own, sizes, g, piece):
    groups, m, _, _, high, blocks, pitch, lane_count = sizes
    _, ho, wo = out_shape
    image, first = piece // blocks, piece % blocks * high
    rows = min(high, ho - first)
    for r in range(m):
        at = ((image * groups + g) * m + r) * ho * wo + first * wo
        for u in range(rows):
            simd.copy(run, r * pitch + lane_count + u * strides[2], dy, at + u * wo, wo)
        end = lane_count + (rows - 1) * strides[2] + wo
        run[r * pitch + end : (r + 1) * pitch] = 0  # of a higher block before
    steps = -(-((rows - 1) * strides[2] + wo) // lane_count)
    x_at = image * strides[0] + g * strides[1] + first * strides[2]
    back = max(0, x_at + x_tap.max() + steps * lane_count - len(x))  # where x ends with its last pixel
    for r in range(0, m, ROWS):
        for t in range(0, len(x_tap), TAPS):
            c_at = (r // ROWS * len(x_tap) + t) * ROWS * lane_count
            dot_tile(steps, run, r * pitch + lane_count - back, pitch, x, x_at - back, x_tap, t, own, c_at)


@parallel_njit
def _add_lanes(sums, dw, sizes):
    """dw[g*M + m, k] = sum over chunks and lanes, in order, of sums[chunk, g, m // ROWS, k // TAPS, tap, row, lane]."""
    groups, m, k, chunks, _, _, _, lane_count = sizes
    k_all = -(-k // 3) * 3
    for g in numba.prange(groups):
        for chunk in range(1, chunks):
            sums[0, g] += sums[chunk, g]
        for r in range(m):
            for t in range(k):
                at = ((r // ROWS * k_all + t) * ROWS + r % ROWS) * lane_count
                dw[(g * m + r) * k + t] = lane_sum(sums[0, g], at)


# ---- plain versions ----


def _plain_dot_tile(steps, dy, dy_at, dy_stride, x, x_at, x_tap, tap_at, c, c_at):
    n = VECTOR_BYTES // dy.itemsize
    for t in range(TAPS):
        window = x[x_at + x_tap[tap_at + t] :][: steps * n]
        for r in range(ROWS):
            products = window * dy[dy_at + r * dy_stride :][: steps * n]
            c[c_at + (t * ROWS + r) * n :][:n] += products.reshape(steps, n).sum(0)


def _plain_lane_sum(c, at):
    return c[at : at + VECTOR_BYTES // c.itemsize].sum()


# ---- in LLVM vectors ----


@intrinsic
def _dot_tile(typing_context, steps, dy, dy_at, dy_stride, x, x_at, x_tap, tap_at, c, c_at):
    i = types.int64

    def emit(context, builder, signature, args):
        dys, xs, taps, out = (Flat(context, builder, signature.args[k], args[k]) for k in (1, 4, 6, 8))
        steps, _, dy_at, dy_stride, _, x_at, _, tap_at, _, c_at = args
        runs = [builder.add(dy_at, builder.mul(dy_stride, index(r))) for r in range(ROWS)]
        windows = [builder.add(x_at, taps.load(builder.add(tap_at, index(t)))) for t in range(TAPS)]
        places = [(t, r) for t in range(TAPS) for r in range(ROWS)]
        at = {(t, r): builder.add(c_at, index((t * ROWS + r) * out.lanes)) for t, r in places}
        sums = {p: cgutils.alloca_once_value(builder, out.load_vector(at[p])) for p in places}
        fma = multiply_add(builder, ir.VectorType(out.scalar, out.lanes))
        with cgutils.for_range(builder, steps) as loop:
            pixel = builder.mul(loop.index, index(out.lanes))
            values = [xs.load_vector(builder.add(start, pixel)) for start in windows]
            for r in range(ROWS):
                gradient = dys.load_vector(builder.add(runs[r], pixel))
                for t in range(TAPS):
                    builder.store(builder.call(fma, [gradient, values[t], builder.load(sums[t, r])]), sums[t, r])
            simd.keep_steps_apart(builder)
        for p in places:
            out.store_vector(builder.load(sums[p]), at[p])

    return types.void(i, dy, i, i, x, i, x_tap, i, c, i), emit


@intrinsic
def _lane_sum(typing_context, c, at):
    def emit(context, builder, signature, args):
        return sum_lanes(builder, Flat(context, builder, signature.args[0], args[0]).load_vector(args[1]))

    return c.dtype(c, types.int64), emit


if numba.config.DISABLE_JIT:
    dot_tile, lane_sum = _plain_dot_tile, _plain_lane_sum
else:
    dot_tile, lane_sum = _dot_tile, _lane_sum
