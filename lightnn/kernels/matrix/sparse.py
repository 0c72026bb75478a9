"""A sparse matrix in rows (CSR) times dense numbers, and direct sparse convolution.

What it computes, from the stored elements of w only (`Rows`):

    matmul    c (M, N) = w (M, K) @ b (K, N)
    matvec    the same with N = 1
    conv2d    y[n, o, p] = b[o] + sum_e v[e] * padded[n, p + tap[column[e]]]       e over the elements of filter o

How memory is walked. Products and convolutions are one routine, `correlate`: a matrix (K, N) is an image of K channels
with one row of N pixels under a 1x1 filter. A piece of work is a strip of up to 4 vectors of positions of one image and
a part of the rows of w, all parts with about as many elements; it goes down the rows, two at a time, so that what the
strip sees of b stays in the first- or second-level cache while w streams. Positions are numbered over the padded
rows of the image (as in inplace.py), so that a strip runs across the ends of short rows, and the few useless positions
are thrown away. One column of b has no neighbours to load with it: `matvec` gathers.

Why it is fast. No index is decoded twice for a strip, no im2col matrix exists, and the arithmetic is sparse_rows.py's.
Arithmetic intensity from main memory: an element (4 bytes and 4 of its column) is worth 2 flops with one column of b,
a quarter of a flop a byte, and 128 flops with 64 columns. A dense product needs 4 bytes a weight; so with one column
the sparse form moves fewer bytes only below a density of 1/2, and gathers one number at a time where a dense product
loads 16. The break-even densities are measured in lightnn/bench/sparse.py.

Rounding: as said in sparse_rows.py, in the order of the column, whatever the number of threads. Where a dense kernel
of lightnn takes K in one block (K <= 512) its sums are the same bit for bit; of a deeper one it may add the blocks'
sums, and one row of x alone it adds in vectors (matvec.py).
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv.windows import Padded, axes, pad_image, tap_offsets
from lightnn.kernels.matrix.sparse_rows import PAIR, QUAD, VECTORS, Spot, gather, strip
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.simd import lanes

GATHERED = 5  # what an element costs in `matvec`, in multiply-adds of a vector: for parallel.SERIAL_WORK


class Rows(NamedTuple):
    """A sparse matrix (M, K): row i has the elements pointers[i] .. pointers[i+1] - 1, columns ascending."""

    values: np.ndarray  # the numbers, or uint8 or uint16 codes into the codebook
    codebook: np.ndarray  # of the numbers' dtype; unused where values are the numbers
    columns: np.ndarray  # int32
    pointers: np.ndarray  # int32, M + 1


class Tasks(NamedTuple):
    """How the work is cut: a piece is one part of the rows, one image, one strip of positions."""

    n: int  # images, channels, height and width of y
    o: int
    ho: int
    wo: int
    strips: int
    parts: int
    vectors: int  # in a strip


def matmul(w, b):
    """c (M, N), new and contiguous, of the Rows w (M, K) and b (K, N)."""
    (k, n), m = b.shape, len(w.pointers) - 1
    if n == 1:
        return matvec(w, b.reshape(-1)).reshape(m, 1)
    c = np.empty((1, m, 1, n), b.dtype)
    if c.size == 0:
        return c.reshape(m, n)
    data = _with_slack(np.ascontiguousarray(b).reshape(-1), n)
    correlate(w, Padded(data, k * n, n, n, True), row_offsets(k, n), c, None)
    return c.reshape(m, n)


def matvec(w, x):
    """y (M,) of the Rows w (M, K) and x (K,)."""
    y = np.empty(len(w.pointers) - 1, x.dtype)
    run(_gather_rows, _gather_parallel, (w, np.ascontiguousarray(x), y), len(y), len(w.values) * GATHERED)
    return y


def conv2d(w, x, b, kernel, stride, padding, dilation):
    """y (N, O, Ho, Wo) of the Rows w (O, C*KH*KW), x (N, C, H, W), b (O,) or None; padding (top, bottom, left,
    right)."""
    vertical, horizontal = axes(x.shape, kernel, stride, padding, dilation)
    y = np.empty((x.shape[0], len(w.pointers) - 1, vertical.out, horizontal.out), x.dtype)
    if y.size == 0:
        return y
    padded = pad_image(x, vertical, horizontal)
    tap = tap_offsets(vertical, horizontal, x.shape[1], padded.channel)
    if not padded.spare:
        positions = (vertical.out - 1) * padded.row + horizontal.out
        padded = padded._replace(data=_with_slack(padded.data, positions), spare=True)
    correlate(w, padded, tap.astype(_index_type(padded.image), copy=False), y, b)
    return y


@functools.lru_cache
def row_offsets(k, pitch):
    """Where in a flat matrix of k rows of `pitch` numbers each row starts."""
    return np.arange(0, k * pitch, pitch, _index_type(k * pitch))


def _index_type(size):
    """int32 where it suffices: a table is read once an element, from the first-level cache."""
    return np.int32 if size < 2**31 else np.int64


def _with_slack(data, positions):
    """data, followed by as many zeros as the last vector of `positions` reads beyond them."""
    slack = -positions % lanes(data.dtype)
    return data if not slack else np.concatenate((data, np.zeros(slack, data.dtype)))


def correlate(w, padded, tap, y, b):
    """y[n, o, p] = sum_e v[e] * padded[n, p + tap[column[e]]] (+ b[o]), e over the elements of row o."""
    n, _, ho, wo = y.shape
    if y.size == 0:
        return
    positions = (ho - 1) * padded.row + wo
    vectors = -(-positions // lanes(y.dtype))
    strips = -(-vectors // VECTORS)
    threads = numba.get_num_threads()
    parts = 1 if n * strips % threads == 0 or n * strips > 4 * threads else threads
    bias = np.zeros(0, y.dtype) if b is None else np.ascontiguousarray(b)
    tasks = Tasks(*y.shape, strips, parts, -(-vectors // strips))
    args = w, padded, tap, y.reshape(-1), bias, tasks
    run(_pieces, _parallel, args, n * strips * parts, n * positions * len(w.values))


@numba.njit(cache=True, nogil=True)
def cut(pointers, part, parts):
    """The first row of a part of the rows, when all parts have about as many elements."""
    low, high = 0, len(pointers) - 1
    if part == parts:
        return high
    wanted = part * np.int64(pointers[-1]) // parts
    while low < high:
        middle = (low + high) // 2
        if pointers[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@numba.njit(cache=True, nogil=True)
def _gather_rows(w, x, y, first, last):
    for row in range(first, last, QUAD):
        gather(w, row, last, x, y)


@parallel_njit
def _gather_parallel(w, x, y, _, parts):
    for part in numba.prange(parts):
        _gather_rows(w, x, y, cut(w.pointers, part, parts), cut(w.pointers, part + 1, parts))


@parallel_njit
def _parallel(w, padded, tap, y, bias, tasks, pieces, parts):
    for part in numba.prange(parts):
        _pieces(w, padded, tap, y, bias, tasks, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def _pieces(w, padded, tap, y, bias, tasks, first, last):
    """Pieces first .. last - 1 of parts x images x strips."""
    n, m, ho, wo, strips, parts, vectors = tasks
    lane_count, area = simd.VECTOR_BYTES // y.itemsize, ho * wo
    wide = vectors * lane_count
    edge = np.empty(PAIR * wide, y.dtype)
    for piece in range(first, last):
        part, image, at = piece // (n * strips), piece // strips % n, piece % strips * wide
        count = min(wide, (ho - 1) * padded.row + wo - at)
        some = -(-count // lane_count)
        start, stop = cut(w.pointers, part, parts), cut(w.pointers, part + 1, parts)
        b_at = image * padded.image + at
        inside = padded.row == wo and count == some * lane_count and len(bias) == 0
        c, c_stride = (y, area) if inside else (edge, wide)
        for r in range(start, stop, PAIR):
            c_at = (image * m + r) * area + at if inside else 0
            strip(some, w, tap, padded.data, c, Spot(r, stop, b_at, c_at, c_stride))
            for i in range(0 if inside else min(PAIR, stop - r)):
                if len(bias):
                    for lane in range(i * wide, i * wide + count):
                        edge[lane] += bias[r + i]
                _store(y, (image * m + r + i) * area, wo, edge[i * wide :], at, count, padded.row)


@numba.njit(cache=True, nogil=True)
def _store(y, y_at, wo, source, position, count, row):
    """`count` numbers from `position` on, of which rows of y keep the first wo of each `row`."""
    done = 0
    while done < count:
        i, j = (position + done) // row, (position + done) % row
        length = min(row - j, count - done)
        simd.copy(y, y_at + i * wo + j, source, done, max(0, min(length, wo - j)))
        done += length
