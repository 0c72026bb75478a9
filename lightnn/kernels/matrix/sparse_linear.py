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

from lightnn.kernels.matrix.sparse import cut, matvec, row_offsets
from lightnn.kernels.matrix.sparse_rows import PAIR, VECTORS, Spot, strip
from lightnn.kernels.parallel import parallel_njit, parts_for
from lightnn.kernels.vector import turn
from lightnn.kernels.vector.gemm import aligned_empty
from lightnn.kernels.vector.simd import VECTOR_BYTES, lanes


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
    row_parts = threads if strips < threads else 1
    wide = -(-vectors // strips) * lanes(x.dtype)
    pieces, parts = strips * row_parts, parts_for(strips * row_parts, n * len(w.values) + x.size)
    scratch = aligned_empty((parts, (k + m) * wide), x.dtype)
    args = w, row_offsets(k, wide), np.ascontiguousarray(x).reshape(-1), y.reshape(-1), (n, k, row_parts, wide)
    if parts == 1:
        _pieces(*args, scratch[0], 0, pieces)
    else:
        _parallel(*args, scratch, pieces, parts)
    return y


@parallel_njit
def _parallel(w, tap, x, y, sizes, scratch, pieces, parts):
    for part in numba.prange(parts):
        _pieces(w, tap, x, y, sizes, scratch[part], part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _pieces(w, tap, x, y, sizes, panel, first, last):
    """Pieces first .. last - 1 of strips x parts of the rows."""
    n, k, row_parts, wide = sizes
    m, c_at, lane_count = len(w.pointers) - 1, k * wide, VECTOR_BYTES // y.itemsize
    for piece in range(first, last):
        part, at = piece % row_parts, piece // row_parts * wide
        count = min(wide, n - at)
        if count <= 0:
            continue
        vectors = -(-count // lane_count)
        start, stop = cut(w.pointers, part, row_parts), cut(w.pointers, part + 1, row_parts)
        turn.matrix(panel, 0, wide, x, at * k, k, count, k)
        for i in range(k):  # lanes never filled must hold numbers: multiplying denormal rubbish is slow
            panel[i * wide + count : i * wide + vectors * lane_count] = 0
        for r in range(start, stop, PAIR):
            strip(vectors, w, tap, panel, panel, Spot(r, stop, 0, c_at + r * wide, wide))
        turn.matrix(y, at * m + start, m, panel, c_at + start * wide, wide, stop - start, count)
