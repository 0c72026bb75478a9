"""Product of matrices of signs, packed: y = (x w^T) scale + bias with x (N, K) and w (M, K) of -1 and +1.

What it computes, for words of signs (words.py):

    sums      int32 (N, M)      K - 2 D, which are the products' sums (popcount.py)
    linear    float32 (N, M)    (K - 2 D) scale[m] + bias[m], two roundings: of the product and of the sum

How memory is walked. Rows of x are read in place, ROWS at a time. The weights are packed once into panels, LANES
outputs side by side for one word of K after the other. Where M is no multiple of LANES the last panel begins at M -
LANES and computes some outputs twice, to the same numbers; so every store is a whole vector. A task owns a part of the
rows, or of the panels.

Why it is fast. popcount.py. Weights are 1/32 of float32's bytes; so are the activations, once they are packed.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.binary.popcount import BEST, LANES, VECTORS, ByLane, Left, Right, Sums, tiles
from lightnn.kernels.binary.words import WORD, expand
from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit
from lightnn.kernels.vector.gemm import aligned_empty

SERIAL_BITS = 600 * SERIAL_WORK  # products of signs below which starting threads costs more than it saves


class Panels(NamedTuple):
    """Weights (M, K) as words (panels, K/64, LANES)."""

    words: np.ndarray  # uint64
    shape: tuple  # (M, K)
    path: tuple


def pack(words, k, path=BEST):
    """Panels of the words (M, K/64) of w (M, K)."""
    m, depth = words.shape
    panels = aligned_empty((-(-m // LANES), depth, LANES), np.uint64)
    for panel, start in zip(panels, starts(m), strict=True):
        some = words[start : start + LANES].T
        panel[:, : some.shape[1]], panel[:, some.shape[1] :] = some, 0
    return Panels(panels, (m, k), path)


def rows_of(bits, m, k):
    """words (M, K/64) of tight bits (words.py) of w (M, K)."""
    first = np.arange(0, k, WORD)
    return expand(bits, m, k, first, np.minimum(k - first, WORD))


def starts(size):
    """Where runs of LANES begin that cover 0 .. size - 1; the last one ends at the end, unless it is the only one."""
    return [max(0, min(i, size - LANES)) for i in range(0, size, LANES)]


def sums(words, panels):
    """int32 (N, M) of the words (N, K/64) of x."""
    return _product(words, panels, None, None, np.int32)


def linear(words, panels, scale, bias):
    """float32 (N, M) of the words (N, K/64) of x; scale, bias: float32 (M,)."""
    return _product(words, panels, scale, bias, np.float32)


def _product(words, panels, scale, bias, dtype):
    (n, depth), (m, k), path = words.shape, panels.shape, panels.path
    width = max(m, LANES) if m else 0
    y = np.empty((n, width), dtype)
    if y.size:
        rows, y_rows, at, y_at, step, b_step, count_at = _tables(n, m, depth, width, path.lanes, path.rows)
        left = Left(np.ascontiguousarray(words).reshape(-1), rows, step)
        right = Right(panels.words.reshape(-1), at, b_step)
        out = Sums(y.reshape(-1), y_rows, y_at, np.full(LANES, k, np.int32), count_at)
        if scale is not None:
            out = ByLane(*out, _wide(scale, width), _wide(bias, width))
        product(path, depth, left, right, out, n, len(at), n * m * k)
    return y if width == m else y[:, :m].copy()


def _wide(values, width):
    """values, with zeros behind them."""
    return values if len(values) == width else np.concatenate([values, np.zeros(width - len(values), values.dtype)])


@functools.lru_cache(32)
def _tables(n, m, depth, width, lanes, rows):
    """The places of rows and panels: of whole tiles, the last place repeated."""
    row = np.minimum(np.arange(-(-n // rows) * rows), n - 1)
    part = np.arange(0, LANES, lanes)
    at = whole(np.arange(-(-m // LANES))[:, None] * (depth * LANES) + part)
    y_at = whole(np.array(starts(m))[:, None] + part)
    step = np.arange(depth)
    return row * depth, row * width, at, y_at, step, step * LANES, np.zeros(len(at), np.int64)


def whole(places):
    """The places in one row, the last one repeated to whole tiles."""
    places = places.reshape(-1)
    return np.append(places, np.repeat(places[-1:], -len(places) % VECTORS))


def product(path, depth, left, right, out, rows, vectors, work):
    """All tiles of `rows` and `vectors`, by threads if there is enough work: `work` products of signs."""
    row_tiles, pairs = -(-rows // path.rows), vectors // VECTORS
    if work < SERIAL_BITS or numba.get_num_threads() == 1:
        part(path, depth, left, right, out, (0, row_tiles), (0, pairs))
        return
    tasks = 2 * numba.get_num_threads()
    v_parts = min(pairs, tasks) if pairs >= row_tiles else min(pairs, -(-tasks // min(row_tiles, tasks)))
    r_parts = min(row_tiles, -(-tasks // v_parts))
    _parallel(path, depth, left, right, out, (row_tiles, pairs), (r_parts, v_parts))


@parallel_njit
def _parallel(path, depth, left, right, out, tiles_of, parts):
    (row_tiles, pairs), (r_parts, v_parts) = tiles_of, parts
    for task in numba.prange(r_parts * v_parts):
        r, v = task % r_parts, task // r_parts
        rows = r * row_tiles // r_parts, (r + 1) * row_tiles // r_parts
        vectors = v * pairs // v_parts, (v + 1) * pairs // v_parts
        part(path, depth, left, right, out, rows, vectors)


BLOCK = 32  # pairs of vectors: what they read stays in the caches while the rows pass


@numba.njit(cache=True, nogil=True)
def part(path, depth, left, right, out, rows, pairs):
    """Tiles of rows rows[0] .. rows[1] - 1 and of pairs of vectors, counted in tiles."""
    r = rows[0] * path.rows, rows[1] * path.rows
    for first in range(pairs[0], pairs[1], BLOCK):
        last = min(first + BLOCK, pairs[1])
        tiles(path, depth, left, right, r, (first * VECTORS, last * VECTORS), out)
