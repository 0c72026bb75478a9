"""Matrix times vector, for a fully connected layer and one image: y (M,) = w (M, K) x (K,) + b (M,).

How memory is walked. Forward through the rows of w, ROWS of them side by side, each once; x stays in the first-level
cache. Nothing is packed: a packed number would be used once.

Why it is fast. A row is summed in vectors, several sums at once, and each number of x is loaded once for ROWS rows.
Arithmetic intensity 2 flops to 4 bytes: the speed of the cache, or of memory, that w comes from is the bound. Threads
start only for a w that takes longer to read than they take to wake up.

A sum is rounded in an order that depends on K alone, whatever the number of threads.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit

ROWS = 4
PARALLEL_SIZE = 400_000  # numbers in w from which threads pay
_REORDER = {"reassoc", "contract", "nsz"}  # lets a sum be taken in vectors; NaN and infinity still count


def matvec(w, x, b):
    """y (M,), new, of contiguous w (M, K) and x (K,) of one dtype; b (M,) or None."""
    y = np.empty(len(w), w.dtype)
    if w.size < PARALLEL_SIZE:
        _rows(w, x, y, 0, len(w))
    else:
        _parallel(w, x, y, numba.get_num_threads())
    if b is not None:
        y += b
    return y


@numba.njit(cache=True, nogil=True, fastmath=_REORDER)
def _rows(w, x, y, first, last):
    """The rows first .. last-1; first is a multiple of ROWS, so a row is summed in the same way in every cut."""
    zero = w.dtype.type(0)
    whole = first + (last - first) // ROWS * ROWS
    for m in range(first, whole, ROWS):
        w0, w1, w2, w3 = w[m], w[m + 1], w[m + 2], w[m + 3]
        s0 = s1 = s2 = s3 = zero
        for k in range(len(x)):
            s0 += w0[k] * x[k]
            s1 += w1[k] * x[k]
            s2 += w2[k] * x[k]
            s3 += w3[k] * x[k]
        y[m], y[m + 1], y[m + 2], y[m + 3] = s0, s1, s2, s3
    for m in range(whole, last):
        row, s0 = w[m], zero
        for k in range(len(x)):
            s0 += row[k] * x[k]
        y[m] = s0


if numba.config.DISABLE_JIT:  # as compiled code, Python's must not warn of infinity minus infinity
    _rows = np.errstate(all="ignore")(_rows)


@parallel_njit
def _parallel(w, x, y, parts):
    blocks = -(-len(w) // ROWS)
    for part in numba.prange(parts):
        _rows(w, x, y, part * blocks // parts * ROWS, min(len(w), (part + 1) * blocks // parts * ROWS))
