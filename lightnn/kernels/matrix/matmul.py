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

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit
from lightnn.kernels.vector import turn
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Left, Right, aligned_empty, block_depth, rows_apart, tile
from lightnn.kernels.vector.simd import copy_vector, lanes


class Matrix(NamedTuple):
    """The numbers in memory order, and how far the next row and the next column lie."""

    numbers: np.ndarray
    row: int
    column: int


class Tasks(NamedTuple):
    """How the product (M, K) @ (K, N) is cut: a task is one panel of columns and one part of the rows."""

    m: int
    n: int
    k: int
    parts: int
    panels: int
    lanes: int  # V; known when compiling, it would make the loops unroll: more code, no more speed


def matmul(a, b):
    """c (M, N), new and contiguous, of a (M, K) and b (K, N), one dtype, each contiguous or the transpose of such."""
    (m, k), n = a.shape, b.shape[1]
    c = np.empty((m, n), a.dtype)
    if c.size == 0 or k == 0:
        c[:] = 0
        return c
    a, b = _in_memory_order(a), _in_memory_order(b)
    threads, width = numba.get_num_threads(), VECTORS * lanes(c.dtype)
    panels, tiles = -(-n // width), -(-m // ROWS)
    parts = min(tiles, -(-2 * threads // panels)) if m * n * k >= SERIAL_WORK else 1
    scratch = aligned_empty((threads, block_depth(k) * width + ROWS * width), c.dtype)
    left = Left(a.numbers, rows_apart(m, a.row), np.arange(k) * a.column)
    args = left, b, c.reshape(-1), Tasks(m, n, k, parts, panels, lanes(c.dtype))
    if panels * parts > 1:
        _parallel(*args, scratch)
    else:
        _task(*args, 0, 0, scratch[0])
    return c


def _in_memory_order(matrix):
    if matrix.flags.f_contiguous and not matrix.flags.c_contiguous:
        return Matrix(matrix.T.reshape(-1), 1, matrix.shape[0])
    return Matrix(np.ascontiguousarray(matrix).reshape(-1), matrix.shape[1], 1)


@parallel_njit
def _parallel(left, b, c, tasks, scratch):
    panels = tasks.panels
    for task in numba.prange(tasks.parts * panels):
        _task(left, b, c, tasks, task // panels, task % panels, scratch[numba.get_thread_id()])


@numba.njit(cache=True, nogil=True)
def _task(left, b, c, tasks, part, panel, own):
    m, n, k, parts, _, lane_count = tasks
    tiles, deepest = -(-m // ROWS), block_depth(k)
    first, last = part * tiles // parts * ROWS, min(m, (part + 1) * tiles // parts * ROWS)
    column = panel * VECTORS * lane_count
    count = min(VECTORS * lane_count, n - column)
    vectors = -(-count // lane_count)
    wide = vectors * lane_count
    right = Right(own, np.arange(k) % deepest * wide)
    edge = own[deepest * wide :]
    for start in range(0, k, deepest):
        depth = min(deepest, k - start)
        if b.column == 1:
            _pack(own, wide, b.numbers, start * n + column, n, depth, count, lane_count)
        else:
            _pack_transposed(own, wide, b.numbers, column * k + start, k, depth, count, lane_count)
        for r in range(first, last, ROWS):
            if count == wide and r + ROWS <= m:
                tile(vectors, depth, left, right, At(0, r, start, 0, r * n + column), c, n, start > 0)
                continue
            tile(vectors, depth, left, right, At(0, r, start, 0, 0), edge, wide, False)
            for i in range(min(ROWS, m - r)):
                to, source = (r + i) * n + column, i * wide
                for lane in range(count):
                    c[to + lane] = (c[to + lane] if start else 0) + edge[source + lane]


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
            turn.block(panel, t * wide + lane, wide, b, at + lane * stride + t, stride)
        for t in range(whole, depth):
            for i in range(lane, lane + lane_count):
                panel[t * wide + i] = b[at + i * stride + t] if i < count else 0
