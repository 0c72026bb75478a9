"""Product of matrices of signs, packed: y = (x w^T) scale + bias with x (N, K) and w (M, K) of -1 and +1.

What it computes, for words of signs (words.py):

    sums             int32 (N, M)      K - 2 D, which are the products' sums (popcount.py)
    linear           float32 (N, M)    (K - 2 D) scale[m] + bias[m], two roundings: of the product and of the sum
    linear_of_signs  the same, of numbers x, of which the signs count

How memory is walked. A task takes up to ROWS rows of x and some of the panels. It packs its rows, or copies them, to a
buffer that stays in the first cache while the panels pass. The weights are packed once into panels, WIDTH outputs side
by side for one word of K after the other. Where M is no multiple of WIDTH the last panel begins at M - WIDTH and
computes some outputs twice, to the same numbers; so every store is a whole vector. Threads take tasks in turn, and the
first begins while the others wake up.

Why it is fast. popcount.py. Weights are 1/32 of float32's bytes. x is read once: M products for 4 bytes. So with few
outputs the product is over sooner than x is read.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.binary.popcount import BEST, WIDTH, ByLane, Counts, Rows, Sums, tiles
from lightnn.kernels.binary.words import WORD, expand, row_into, running
from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit, take
from lightnn.kernels.vector.gemm import aligned_empty

SERIAL_BITS = 1000 * SERIAL_WORK  # products of signs below which starting threads costs more than it saves
PACKING = 60  # products of signs that take as long as packing one number
ROWS = 32  # of x in a task
NO_NUMBERS, NO_WORDS = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.uint64)
COUNTER = np.zeros(1, np.int64)  # where one thread takes all tasks


class Panels(NamedTuple):
    """Weights (M, K) as words (panels, K/64, WIDTH), running along K/64."""

    words: np.ndarray  # uint64
    shape: tuple  # (M, K)
    path: tuple


class Work(NamedTuple):
    """What the tasks of one product have in common. Arrays are few: to hand over one costs 0.2 microseconds."""

    x: np.ndarray  # float32 (N, K); or none,
    words: np.ndarray  # and its words
    panels: np.ndarray
    n: int
    m: int
    k: int


def pack(words, k, path=BEST):
    """Panels of the words (M, K/64) of w (M, K)."""
    m, depth = words.shape
    panels = aligned_empty((-(-m // WIDTH), depth, WIDTH), np.uint64)
    for panel, start in zip(panels, starts(m), strict=True):
        some = running(words[start : start + WIDTH]).T
        panel[:, : some.shape[1]], panel[:, some.shape[1] :] = some, 0
    return Panels(panels, (m, k), path)


def rows_of(bits, m, k):
    """words (M, K/64) of tight bits (words.py) of w (M, K)."""
    first = np.arange(0, k, WORD)
    return expand(bits, m, k, first, np.minimum(k - first, WORD))


def starts(size):
    """Where runs of WIDTH begin that cover 0 .. size - 1; the last one ends at the end, unless it is the only one."""
    return [start_of(i, size) for i in range(-(-size // WIDTH))]


@numba.njit(cache=True, nogil=True)
def start_of(panel, size):
    """The first of the WIDTH outputs of a panel."""
    return max(0, min(panel * WIDTH, size - WIDTH))


def sums(words, panels):
    """int32 (N, M) of the words (N, K/64) of x."""
    return _product(NO_NUMBERS, words, panels, None, None, np.int32)


def linear(words, panels, scale, bias):
    """float32 (N, M) of the words (N, K/64) of x; scale, bias: float32 (M,)."""
    return _product(NO_NUMBERS, words, panels, scale, bias, np.float32)


def linear_of_signs(x, panels, scale, bias):
    """float32 (N, M) of the signs of x (N, K), float32; scale, bias: float32 (M,)."""
    return _product(x, NO_WORDS, panels, scale, bias, np.float32)


def _product(x, words, panels, scale, bias, dtype):
    n, (m, k), path = max(len(x), len(words)), panels.shape, panels.path
    width = max(m, WIDTH) if m else 0
    y = np.empty((n, width), dtype)
    if y.size:
        work = Work(np.ascontiguousarray(x), np.ascontiguousarray(words), panels.words, n, m, k)
        out = Sums(y.reshape(-1), width)
        if scale is not None:
            out = ByLane(*out, _wide(scale, width), _wide(bias, width))
        run_tasks(_tasks, _parallel, (path, work, out), n * k * (m + PACKING * (x.size > 0)))
    return y if width == m else y[:, :m].copy()


def run_tasks(serial, parallel, args, bits):
    """serial(*args, counter, 1), or by threads if there is work enough: of as many products of signs as `bits`."""
    threads = 1 if bits < SERIAL_BITS else numba.get_num_threads()
    if threads == 1:
        serial(*args, COUNTER, 1)
    else:
        parallel(*args, np.zeros(1, np.int64), threads)


def _wide(values, width):
    """values, with zeros behind them."""
    return values if len(values) == width else np.concatenate([values, np.zeros(width - len(values), values.dtype)])


@numba.njit(cache=True, nogil=True)
def _tasks(path, work, out, counter, threads):
    """Tasks until there are none left, at least 8 a thread. Where the panels are in parts, each packs its rows again:
    they are few. counter: of the tasks that are taken, unless there is one thread."""
    n, m, k, depth, panels = work.n, work.m, work.k, -(-work.k // WORD), -(-work.m // WIDTH)
    most = max(path.rows, n // (8 * threads) // path.rows * path.rows) if threads > 1 else ROWS
    most = min(ROWS, most)
    blocks = -(-n // most)
    parts = min(panels, -(-8 * threads // blocks)) if threads > 1 else 1
    x, words, flat, task = work.x.reshape(-1), work.words.reshape(-1), work.panels.reshape(-1), -1
    buffer = np.empty(most * depth, np.uint64)
    counts = Counts(np.full(WIDTH, k, np.int32), 0, WIDTH, np.zeros(WIDTH, np.int32))
    while True:
        task = take(counter) if threads > 1 else task + 1
        first, part = task // parts * most, task % parts
        if first >= n:
            break
        left = Rows(buffer, depth, min(most, n - first))
        for r in range(left.count):
            if len(x):
                row_into(buffer, r * depth, x, (first + r) * k, None, k)
            else:
                buffer[r * depth : (r + 1) * depth] = words[(first + r) * depth : (first + r + 1) * depth]
            for t in range(r * depth + 1, (r + 1) * depth):
                buffer[t] ^= buffer[t - 1]
        for p in range(part * panels // parts, (part + 1) * panels // parts):
            at = start_of(p, m)
            tiles(path, depth, left, flat, p * depth * WIDTH, counts, 0, out, first * out.pitch + at, at)


@parallel_njit
def _parallel(path, work, out, counter, threads):
    for _ in numba.prange(threads):
        _tasks(path, work, out, counter, threads)
