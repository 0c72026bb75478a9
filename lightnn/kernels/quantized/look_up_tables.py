"""A fully connected layer on codes of blocks: each product of an input block and a centroid is computed once.

    T[i, b, j] = x_i's block b . c_j,        y[i, o] = sum_b T[i, b, I[b, o]]

How memory is walked. A task has one input and a strip of outputs. It makes the tables of TOGETHER blocks, k numbers
each, and adds their entries to the strip's sums: tables and sums stay in the first-level cache, and the codes, stored
block by block, are read once in order. A second task on the same input makes its tables again.

Why it pays. The dense layer reads I O weights and multiplies as often; this one multiplies I k times, reads I O / d
codes and fetches as many entries. Within the cache a fetched entry takes about as long as the d multiplications that it
stands for, with d = 4; so the tables pay with larger blocks, or beyond the cache, where a layer at batch 1 is bound by
reading: a code of one byte stands for d weights of four.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, parts_for
from lightnn.kernels.quantized.look_up_llvm import LANES, TOGETHER, add_entries

STRIP = 4096  # outputs: as many sums as fit into the first-level cache beside the tables


def linear(x, codes, c):
    """y (N, O), new, of x (N, I), codes I (B, O) and centroids c (k, d), with I = B d, in the dtype of x and c."""
    (n, _), (blocks, outputs) = x.shape, codes.shape
    y = np.zeros((n, outputs), x.dtype)
    if not y.size or not blocks:
        return y
    args = np.ascontiguousarray(x), codes.reshape(-1), np.ascontiguousarray(c.T), y
    strips = -(-outputs // STRIP)
    parts = parts_for(n * -(-outputs // LANES), n * blocks * outputs)
    if parts == 1:
        _tasks(*args, strips, 0, n * strips)
    else:
        strips = max(strips, -(-parts // n))
        _parallel(*args, strips, n * strips, parts)
    return y


@parallel_njit
def _parallel(x, codes, turned, y, strips, pieces, parts):
    for part in numba.prange(parts):
        _tasks(x, codes, turned, y, strips, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _tasks(x, codes, turned, y, strips, first, last):
    """Strips first .. last - 1 of all rows of y. They are cut between vectors: a sum is the same in every cut."""
    d, k = turned.shape
    outputs, blocks = y.shape[1], x.shape[1] // d
    vectors, whole = -(-outputs // LANES), blocks // TOGETHER * TOGETHER
    tables = np.empty(TOGETHER * k, x.dtype)
    for piece in range(first, last):
        i, strip = piece // strips, piece % strips
        start, stop = strip * vectors // strips * LANES, min(outputs, (strip + 1) * vectors // strips * LANES)
        full = start + (stop - start) // LANES * LANES
        row = y[i]
        for b in range(0, blocks, TOGETHER):
            count = min(TOGETHER, blocks - b)
            _fill(tables, x[i], b, count, turned)
            if b < whole:
                for o in range(start, full, LANES):
                    add_entries(row, o, tables, k, codes, b * outputs + o, outputs)
            _one_by_one(row, full if b < whole else start, stop, tables, k, codes, b, count)


@numba.njit(cache=True, nogil=True)
def _fill(tables, x, b, count, turned):
    """tables[m k + j] = the products of block b + m of x and centroid j, for m < count."""
    d, k = turned.shape
    for m in range(count):
        own, at = tables[m * k : (m + 1) * k], (b + m) * d
        own[:] = 0
        for q in range(d):
            one, column = x[at + q], turned[q]
            for j in range(k):
                own[j] += one * column[j]


@numba.njit(cache=True, nogil=True)
def _one_by_one(y, start, stop, tables, k, codes, b, count):
    for m in range(count):
        table, own = tables[m * k : (m + 1) * k], codes[(b + m) * len(y) : (b + m + 1) * len(y)]
        for o in range(start, stop):
            y[o] += table[own[o]]
