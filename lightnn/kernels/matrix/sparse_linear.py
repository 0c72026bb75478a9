"""The fully connected layer with sparse weights: y (N, O) = x (N, I) @ w (O, I)^T, w in rows (sparse.Rows).

How memory is walked. A piece of work is a strip of up to 4 vectors of rows of x. It turns them into a panel (I, wide)
in which an image of the batch is a lane, runs down the rows of w, two at a time, into a second panel (O, wide), and
turns that into the rows of y. A batch of one vector or less is cut by the rows of w instead, and each thread makes the
panel for itself. One row of x alone is sparse.matvec.

Why it is fast. As sparse.py; the two panels are written and read by one thread, so that they stay in its second-level
cache (800 -> 500, 32 images: 100 and 64 KB), and turning a number costs a fraction of a cycle (turn.py). Arithmetic
intensity from main memory: 2*N flops to 8 bytes of w, for N images.
"""

import numba
import numpy as np

from lightnn.kernels.conv import planes
from lightnn.kernels.matrix.sparse import cut, matvec, row_offsets
from lightnn.kernels.matrix.sparse_rows import PAIR, VECTORS, strip
from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.vector.gemm import aligned_empty, lanes, transpose_block


def linear(w, x):
    """y (N, O), new and contiguous, of the Rows w (O, I) and x (N, I)."""
    (n, k), m = x.shape, len(w.pointers) - 1
    if n == 1:
        return matvec(w, x.reshape(-1)).reshape(1, m)
    y = np.empty((n, m), x.dtype)
    if y.size == 0:
        return y
    threads, vectors = numba.get_num_threads(), -(-n // lanes(x.dtype))
    strips = min(vectors, -(-vectors // (VECTORS * threads)) * threads)
    shares = threads if strips < threads else 1
    wide = -(-vectors // strips) * lanes(x.dtype)
    pieces, parts = strips * shares, planes.split(strips * shares, n * len(w.values) + x.size)
    scratch = aligned_empty((parts, (k + m) * wide), x.dtype)
    sizes = n, k, shares, wide, lanes(x.dtype)
    args = *w, row_offsets(k, wide), np.ascontiguousarray(x).reshape(-1), y.reshape(-1), sizes
    if parts == 1:
        _pieces(*args, scratch[0], 0, pieces)
    else:
        _parallel(*args, scratch, pieces, parts)
    return y


@parallel_njit
def _parallel(values, codebook, columns, pointers, table, x, y, sizes, scratch, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _pieces(values, codebook, columns, pointers, table, x, y, sizes, scratch[part], first, last)


@numba.njit(cache=True, nogil=True)
def _pieces(values, codebook, columns, pointers, table, x, y, sizes, panel, first, last):
    """Pieces first .. last - 1 of strips x shares."""
    n, k, shares, wide, lane_count = sizes
    m = len(pointers) - 1
    c_at = k * wide
    for piece in range(first, last):
        share, at = piece % shares, piece // shares * wide
        count = min(wide, n - at)
        if count <= 0:
            continue
        vectors = -(-count // lane_count)
        start, stop = cut(pointers, share, shares), cut(pointers, share + 1, shares)
        turn(panel, 0, wide, x, at * k, k, count, k, lane_count)
        for i in range(k):  # lanes never filled must hold numbers: multiplying denormal rubbish is slow
            panel[i * wide + count : i * wide + vectors * lane_count] = 0
        for r in range(start, stop, PAIR):
            strip(vectors, values, codebook, columns, pointers, r, stop, table, panel, 0, panel, c_at + r * wide, wide)
        turn(y, at * m + start, m, panel, c_at + start * wide, wide, stop - start, count, lane_count)


@numba.njit(cache=True, nogil=True)
def turn(to, to_at, to_stride, source, source_at, source_stride, rows, columns, lane_count):
    """to[j, i] = source[i, j] for i < rows, j < columns: whole blocks in registers, the last of a row or column ending
    at its last number, over the one before."""
    if rows < lane_count or columns < lane_count:
        for i in range(rows):
            for j in range(columns):
                to[to_at + j * to_stride + i] = source[source_at + i * source_stride + j]
        return
    for i in range(0, rows, lane_count):
        i = min(i, rows - lane_count)
        for j in range(0, columns, lane_count):
            j = min(j, columns - lane_count)
            there, here = to_at + j * to_stride + i, source_at + i * source_stride + j
            transpose_block(to, there, to_stride, source, here, source_stride)
