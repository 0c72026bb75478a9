"""Matrix product of bytes: c (M, N) int32 = a (M, K) @ b (K, N), one uint8 and the other int8, in any layout.

What it computes. c[m, n] = sum_k a[m, k] b[k, n], exactly: K is at most requantize.DEEPEST, which the op above checks.
`linear` is a layer: y[m, o] = the sums of x (M, K) uint8 with weights (O, K) int8, requantized while they are in the
first-level cache.

How memory is walked. A task owns a panel of up to VECTORS vectors of columns and a part of the rows. It packs the panel
of b, all of K, as quads (rows woven in fours, or blocks of quads turned where b is a transposed matrix), then runs down
the rows of a, which are read in place if K is divisible by 4 (else once copied, with zeros behind). Weights that are
used again are packed once, beforehand: `pack`.

Why it is fast. The arithmetic is quads.py's micro-kernel; a packed byte is used M times, a row's quad 48 times.
Arithmetic intensity from main memory 2*M*N*K operations over M*K + K*N + 4*M*N bytes. A layer has an eighth of the
result's bytes to write, and a quarter of the weights' to read, of those in float32.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit
from lightnn.kernels.quantized.quads import BEST, At, Left, Right, tile
from lightnn.kernels.quantized.requantize import requantize_channels
from lightnn.kernels.quantized.weave import weave4
from lightnn.kernels.vector import simd, turn
from lightnn.kernels.vector.gemm import aligned_empty


class Panels(NamedTuple):
    """b (K, N), packed: panel p holds columns p*width .. as rows of quads."""

    quads: np.ndarray  # (panels, K/4, width)
    n: int


class Tasks(NamedTuple):
    """How the product is cut: a task is one panel of columns and one part of the rows."""

    m: int
    n: int
    depth: int  # quads in a sum
    parts: int
    panels: int


def matmul(a, b, path=BEST):
    """c (M, N) int32, new and contiguous. b may be what `pack` gives."""
    m, n = len(a), b.n if isinstance(b, Panels) else b.shape[1]
    c = np.empty((m, n), np.int32)
    if c.size == 0 or a.shape[1] == 0:
        c[:] = 0
        return c
    left, depth = rows_of_quads(a, path.rows)
    _run(path, left, b, c.reshape(-1), _tasks(path, m, n, depth))
    return c


def linear(x, w, out, path=BEST):
    """y (M, O) uint8 of x (M, K) uint8; w (O, K) int8, packed: pack(w.T). out: requantize.Output."""
    y = np.empty((len(x), w.n), np.uint8)
    if y.size:
        left, depth = rows_of_quads(x, path.rows)
        _run_linear(path, left, w.quads, y.reshape(-1), out, _tasks(path, len(x), w.n, depth))
    return y


def pack(b, path=BEST):
    """Panels of b (K, N), contiguous or the transpose of such."""
    (k, n), width = b.shape, path.lanes * path.vectors
    depth, panels = -(-k // 4), -(-n // width)
    quads = aligned_empty((panels, depth, width), _quad(b))
    quads[:] = 0
    if quads.size:
        _pack_all(quads.reshape(panels, -1), width, *_columns(b), Tasks(0, n, depth, 1, panels))
    return Panels(quads, n)


def rows_of_quads(a, tile_rows):
    """Left of a (M, K), and its depth: a itself where K is divisible by 4, else a copy with zeros behind each row.
    Beyond the last row, up to a whole tile, it is repeated."""
    m, k = a.shape
    depth = -(-k // 4)
    if k % 4:
        padded = np.zeros((m, 4 * depth), a.dtype)
        padded[:, :k] = a
        a = padded
    quads = np.ascontiguousarray(a).reshape(-1).view(_quad(a))
    row = np.minimum(np.arange(-(-m // tile_rows) * tile_rows), m - 1) * depth
    return Left(quads, row), depth


def _quad(a):
    return np.uint32 if a.dtype == np.uint8 else np.int32


def _columns(b):
    """(bytes, K or 0): b row by row, or with 0 its columns one after another, each of whole quads."""
    if b.flags.f_contiguous and not b.flags.c_contiguous:
        return rows_of_quads(b.T, 1)[0].quads.view(b.dtype), 0
    return np.ascontiguousarray(b).reshape(-1), len(b)


def _tasks(path, m, n, depth):
    panels, tiles = -(-n // (path.lanes * path.vectors)), -(-m // path.rows)
    parts = min(tiles, -(-2 * numba.get_num_threads() // panels)) if m * n * depth >= SERIAL_WORK else 1
    return Tasks(m, n, depth, parts, panels)


def _run(path, left, b, c, tasks):
    width, threads = path.lanes * path.vectors, numba.get_num_threads()
    edge = aligned_empty((threads, path.rows * width), np.int32)
    if isinstance(b, Panels):
        way = _packed_parallel if tasks.panels * tasks.parts > 1 else _packed
        way(path, left, b.quads.reshape(-1), c, edge, tasks)
        return
    own = aligned_empty((threads, tasks.depth * width), _quad(b))
    way = _fresh_parallel if tasks.panels * tasks.parts > 1 else _fresh
    way(path, left, *_columns(b), c, own, edge, tasks)


@parallel_njit
def _pack_all(quads, width, source, k, tasks):
    for panel in numba.prange(tasks.panels):
        _pack_panel(quads[panel], width, source, k, panel * width, tasks)


@numba.njit(cache=True, nogil=True)
def _pack_panel(panel, width, source, k, column, tasks):
    """panel[t, lane] = quad t of column + lane."""
    n, depth, count = tasks.n, tasks.depth, min(width, tasks.n - column)
    if k == 0:
        turn.matrix(panel, 0, width, source.view(panel.dtype), column * depth, depth, count, depth)
        return
    for t in range(depth):  # beyond the last row it is repeated: there the rows of a are zero
        a, b = 4 * t * n + column, min(4 * t + 1, k - 1) * n + column
        c, d = min(4 * t + 2, k - 1) * n + column, min(4 * t + 3, k - 1) * n + column
        weave4(panel, t * width, source, a, b, c, d, count)


@parallel_njit
def _fresh_parallel(path, left, source, k, c, own, edge, tasks):
    for task in numba.prange(tasks.parts * tasks.panels):
        thread, panel = numba.get_thread_id(), task % tasks.panels
        _pack_panel(own[thread], path.lanes * path.vectors, source, k, panel * path.lanes * path.vectors, tasks)
        _multiply(path, left, own[thread], 0, c, edge[thread], tasks, task)


@numba.njit(cache=True, nogil=True)
def _fresh(path, left, source, k, c, own, edge, tasks):
    _pack_panel(own[0], path.lanes * path.vectors, source, k, 0, tasks)
    _multiply(path, left, own[0], 0, c, edge[0], tasks, 0)


@parallel_njit
def _packed_parallel(path, left, panels, c, edge, tasks):
    for task in numba.prange(tasks.parts * tasks.panels):
        at = task % tasks.panels * tasks.depth * path.lanes * path.vectors
        _multiply(path, left, panels, at, c, edge[numba.get_thread_id()], tasks, task)


@numba.njit(cache=True, nogil=True)
def _packed(path, left, panels, c, edge, tasks):
    _multiply(path, left, panels, 0, c, edge[0], tasks, 0)


@numba.njit(cache=True, nogil=True)
def steps(depth, width):
    """Where the rows of a panel start."""
    step = np.empty(depth, np.int64)
    for t in range(depth):
        step[t] = t * width
    return step


@numba.njit(cache=True, nogil=True)
def _multiply(path, left, quads, at, c, edge, tasks, task):
    """The rows of one part times the panel of `quads` that starts at `at`."""
    m, n, depth, parts, panels = tasks
    width, tiles = path.lanes * path.vectors, -(-m // path.rows)
    part, column = task // panels, task % panels * width
    count = min(width, n - column)
    vectors = -(-count // path.lanes)
    right = Right(quads, steps(depth, width))
    last = min(m, (part + 1) * tiles // parts * path.rows)
    for r in range(part * tiles // parts * path.rows, last, path.rows):
        if count == vectors * path.lanes and r + path.rows <= m:
            tile(path, vectors, depth, left, right, At(0, r, at, r * n + column), c, n)
            continue
        tile(path, vectors, depth, left, right, At(0, r, at, 0), edge, width)
        for i in range(min(path.rows, m - r)):
            simd.copy(c, (r + i) * n + column, edge, i * width, count)


def _run_linear(path, left, panels, y, out, tasks):
    edge = aligned_empty((numba.get_num_threads(), path.rows * path.lanes * path.vectors), np.int32)
    way = _linear_parallel if tasks.panels * tasks.parts > 1 else _linear
    way(path, left, panels.reshape(-1), y, out, edge, tasks)


@parallel_njit
def _linear_parallel(path, left, panels, y, out, edge, tasks):
    for task in numba.prange(tasks.parts * tasks.panels):
        _requantized(path, left, panels, y, out, edge[numba.get_thread_id()], tasks, task)


@numba.njit(cache=True, nogil=True)
def _linear(path, left, panels, y, out, edge, tasks):
    _requantized(path, left, panels, y, out, edge[0], tasks, 0)


@numba.njit(cache=True, nogil=True)
def _requantized(path, left, panels, y, out, edge, tasks, task):
    """As `_multiply`, each tile through `edge` to uint8."""
    m, n, depth, parts, n_panels = tasks
    width, tiles = path.lanes * path.vectors, -(-m // path.rows)
    part, column, at = task // n_panels, task % n_panels * width, task % n_panels * depth * width
    count = min(width, n - column)
    right = Right(panels, steps(depth, width))
    last = min(m, (part + 1) * tiles // parts * path.rows)
    for r in range(part * tiles // parts * path.rows, last, path.rows):
        tile(path, -(-count // path.lanes), depth, left, right, At(0, r, at, 0), edge, width)
        for i in range(min(path.rows, m - r)):
            requantize_channels(y, (r + i) * n + column, edge, i * width, count, out, column)
