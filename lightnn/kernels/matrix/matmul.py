"""Matrix product, for the fully connected layer: c (M, N) = a (M, K) @ b (K, N), either operand transposed or not.

How memory is walked. A task owns a panel of up to 3 vectors of columns and a part of the rows. For each block of STEPS
of K it packs the panel of b (turning blocks of it in registers where b is a transposed matrix), then runs down the rows
of a, ROWS at a time, which are read in place through gemm.py's two offset tables, transposed or not.

Why it is fast. The arithmetic is gemm.py's micro-kernel; a packed number is used M times. Arithmetic intensity from
main memory 2*M*N*K flops over 4*(M*K + K*N + M*N) bytes: a layer 800 -> 500 at batch 64 is 26 flops a byte, at batch 1
half a flop a byte, where the speed of memory is the bound.

Why not NumPy's product. Its BLAS keeps threads of its own, which go on spinning for a while after a product; on two
cores they take turns with the convolutions' threads, and a step of LeNet-5 takes twice as long. One pool of threads
serves all layers here. Every sum has a fixed order, whatever the number of threads.
"""

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import (
    ROWS,
    VECTORS,
    aligned_empty,
    block_depth,
    copy_vector,
    lanes,
    pad_rows,
    tile,
    transpose_block,
)


def matmul(a, b):
    """c (M, N), new and contiguous, of a (M, K) and b (K, N), one dtype, each contiguous or the transpose of such."""
    (m, k), n = a.shape, b.shape[1]
    c = np.empty((m, n), a.dtype)
    if c.size == 0 or k == 0:
        c[:] = 0
        return c
    (a_flat, a_steps), (b_flat, b_steps) = _flat(a), _flat(b)
    threads, lane_count = numba.get_num_threads(), lanes(a.dtype)
    width = VECTORS * lane_count
    panels, tiles = -(-n // width), -(-m // ROWS)
    parts = min(tiles, -(-2 * threads // panels)) if m * n * k >= planes.SERIAL_WORK else 1
    deepest = block_depth(k)
    scratch = aligned_empty((threads, deepest * width + ROWS * width), a.dtype)
    a_row, a_step = pad_rows(np.arange(m) * a_steps[0]), np.arange(k) * a_steps[1]
    args = a_flat, a_row, a_step, b_flat, b_steps, c.reshape(-1), scratch, (m, n, k, parts, deepest, lane_count)
    if panels * parts > 1:
        _parallel(*args, panels)
    else:
        _task(*args, 0, 0, scratch[0])
    return c


def _flat(matrix):
    """The numbers in memory order, and how far the next row and the next column lie."""
    if matrix.flags.f_contiguous and not matrix.flags.c_contiguous:
        return matrix.T.reshape(-1), (1, matrix.shape[0])
    return np.ascontiguousarray(matrix).reshape(-1), (matrix.shape[1], 1)


@parallel_njit
def _parallel(a, a_row, a_step, b, b_steps, c, scratch, sizes, panels):
    parts = sizes[3]
    for task in numba.prange(parts * panels):
        own = scratch[numba.get_thread_id()]
        _task(a, a_row, a_step, b, b_steps, c, scratch, sizes, task // panels, task % panels, own)


@numba.njit(cache=True, nogil=True)
def _task(a, a_row, a_step, b, b_steps, c, scratch, sizes, part, panel, own):
    m, n, k, parts, deepest, lane_count = sizes
    tiles = -(-m // ROWS)
    first, last = part * tiles // parts * ROWS, min(m, (part + 1) * tiles // parts * ROWS)
    column = panel * 3 * lane_count
    count = min(3 * lane_count, n - column)
    vectors = -(-count // lane_count)
    wide = vectors * lane_count
    at_step = np.arange(k) % deepest * wide
    edge = own[deepest * wide :]
    for start in range(0, k, deepest):
        depth = min(deepest, k - start)
        if b_steps[1] == 1:
            _pack(own, wide, b, start * n + column, n, depth, count, lane_count)
        else:
            _pack_transposed(own, wide, b, column * k + start, k, depth, count, lane_count)
        for r in range(first, last, ROWS):
            if count == wide and r + ROWS <= m:
                at = r * n + column
                tile(vectors, depth, a, 0, a_row, r, a_step, start, own, 0, at_step, c, at, n, start > 0)
                continue
            tile(vectors, depth, a, 0, a_row, r, a_step, start, own, 0, at_step, edge, 0, wide, False)
            for i in range(min(ROWS, m - r)):
                row = c[(r + i) * n + column : (r + i) * n + column + count]
                if start:
                    row += edge[i * wide : i * wide + count]
                else:
                    row[:] = edge[i * wide : i * wide + count]


@numba.njit(cache=True, nogil=True)
def _pack(panel, wide, b, at, stride, depth, count, lane_count):
    """panel[t, lane] = b[at + t*stride + lane] for lane < count, else 0."""
    for t in range(depth):
        whole = count // lane_count * lane_count
        for lane in range(0, whole, lane_count):
            copy_vector(panel, t * wide + lane, b, at + t * stride + lane)
        for lane in range(whole, count):
            panel[t * wide + lane] = b[at + t * stride + lane]
        for lane in range(count, wide):
            panel[t * wide + lane] = 0


@numba.njit(cache=True, nogil=True)
def _pack_transposed(panel, wide, b, at, stride, depth, count, lane_count):
    """panel[t, lane] = b[at + lane*stride + t] for lane < count, else 0: whole blocks are turned in registers."""
    for lane in range(0, count, lane_count):
        whole = depth // lane_count * lane_count if lane + lane_count <= count else 0
        for t in range(0, whole, lane_count):
            transpose_block(panel, t * wide + lane, wide, b, at + lane * stride + t, stride)
        for t in range(whole, depth):
            for i in range(lane, lane + lane_count):
                panel[t * wide + i] = b[at + i * stride + t] if i < count else 0
