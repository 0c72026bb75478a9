"""Convolution of signs, packed, without im2col of floats: the channels of a pixel are in its words.

What it computes, for x (N, C, H, W) and w (O, C, KH, KW) of -1 and +1, and the border's `value` (image.py):

    sums              int32 (N, O, Ho, Wo)     sum over the taps (k, l, c) of w x, zeros of the border left out
    forward           float32                  the sums times scale[o], plus bias[o]: two roundings
    forward_of_signs  the same, of numbers x, of which the signs count

How memory is walked. A task is some output pixels of one image. It packs the rows of x that they need, and gives them a
border; then it takes BLOCK bytes of panels at a time (image.py), and all filters meet them, read in place. y is written
in planes, as float32 networks have them. Nothing is handed from thread to thread: at the edges of tasks rows are packed
twice. Threads take tasks in turn, and the first begins while the others wake up.

Why it is fast. popcount.py. A panel is 1/32 of what im2col writes, and leaves the first cache never. Arithmetic
intensity: 2*C*KH*KW*O operations to 4*C + 4*O bytes a pixel.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.binary.image import Window, corrections, fill, joins, make_plan, taps_of, unfold
from lightnn.kernels.binary.panel_llvm import gather
from lightnn.kernels.binary.popcount import BEST, WIDTH, ByRow, Counts, Rows, Sums, tiles
from lightnn.kernels.binary.product import run_tasks, start_of
from lightnn.kernels.binary.words import WORD, expand, not_running, pack_tight, running, words_of_planes
from lightnn.kernels.parallel import parallel_njit, take

NO_NUMBERS, NO_WORDS = np.zeros((0, 0, 0, 0), np.float32), np.zeros((0, 0, 0, 0), np.uint64)


class Filters(NamedTuple):
    """Weights (O, C, KH, KW), packed for a Window."""

    words: np.ndarray  # uint64 (O, steps), running
    taps: np.ndarray  # int32 (O, KH*KW): the sum of each tap's signs; none unless zeros are left out
    shape: tuple
    window: Window
    path: tuple


class Work(NamedTuple):
    """What the tasks of one convolution have in common."""

    x: np.ndarray  # float32, flat; or none,
    words: np.ndarray  # and its words
    weights: np.ndarray  # (O, steps)
    taps: np.ndarray  # (O, KH*KW)


def pack(w, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), value=0, path=BEST):
    """Filters of w (O, C, KH, KW), of which the signs count."""
    window = Window(w.shape[2:], tuple(stride), tuple(padding), tuple(dilation), value)
    return filters_of(pack_tight(w.transpose(0, 2, 3, 1) >= 0), w.shape, window, path)


def filters_of(bits, shape, window, path=BEST):
    """Filters of tight bits (words.py) of w, in the order (O, KH, KW, C) but of the shape (O, C, KH, KW)."""
    o, c, kh, kw = shape
    words = expand(bits, o, c * kh * kw, *_steps(c, kh, kw, joins(c, window)[0]))
    return _filters(words, running(words), shape, window, path)


def filters_of_runs(runs, shape, window, path=BEST):
    """Filters of the words (O, steps), running, of w, where words are full: C % 64 = 0."""
    return _filters(not_running(runs), runs, shape, window, path)


def _filters(words, runs, shape, window, path):
    o, c, kh, kw = shape
    masked = window.value == 0 and any(window.padding)
    return Filters(runs, taps_of(words, c, window) if masked else np.zeros((0, kh * kw), np.int32), shape, window, path)


@functools.lru_cache(32)
def _steps(c, kh, kw, many):
    """(first bit, bits) of each step of a filter."""
    runs = [((k * kw + l) * c, c * min(many, kw - l)) for k in range(kh) for l in range(0, kw, many)]
    steps = [(first + b, min(WORD, size - b)) for first, size in runs for b in range(0, size, WORD)]
    return np.array(steps, np.int64).reshape(-1, 2).T


def sums(words, filters):
    """int32 (N, O, Ho, Wo) of the words (N, C/64, H, W) of x."""
    return _convolve(NO_NUMBERS, words, filters, None, None, np.int32)


def forward(words, filters, scale, bias):
    """float32 (N, O, Ho, Wo) of the words (N, C/64, H, W) of x; scale, bias: float32 (O,)."""
    return _convolve(NO_NUMBERS, words, filters, scale, bias, np.float32)


def forward_of_signs(x, filters, scale, bias):
    """float32 (N, O, Ho, Wo) of the signs of x (N, C, H, W), float32; scale, bias: float32 (O,)."""
    return _convolve(x, NO_WORDS, filters, scale, bias, np.float32)


def _convolve(x, words, filters, scale, bias, dtype):
    weights, taps, (o, c, kh, kw), window, path = filters
    n, _, height, width = words.shape if x is NO_NUMBERS else x.shape
    ho, wo, plan = make_plan(c, height, width, window)
    size, wide = ho * wo, max(ho * wo, WIDTH)
    y = np.empty((n, o, wide), dtype)
    if n and o and size:
        work = Work(np.ascontiguousarray(x), np.ascontiguousarray(words), weights, taps)
        out = Sums(y.reshape(-1), wide) if scale is None else ByRow(y.reshape(-1), wide, scale, bias)
        run_tasks(_tasks, _parallel, (path, work, plan, out), n * o * size * c * kh * kw)
    y = y if wide == size else y[:, :, :size].copy()
    return y.reshape(n, o, ho, wo)


@numba.njit(cache=True, nogil=True)
def _tasks(path, work, plan, out, counter, threads):
    """Tasks, until there are none left. counter: of those that are taken; none for one thread."""
    (o, depth), numbers = work.weights.shape, work.x.size > 0
    places = unfold(plan, depth)
    c, wo, pixels, size = places.c, places.wo, places.ho * places.wo, places.height * places.width
    deep, panels = -(-c // WORD), len(places.at) // WIDTH
    n = out.y.size // (o * out.pitch)
    some = max(1, panels // max(1, 8 * threads // n)) if threads > 1 else panels
    parts = -(-panels // some)
    most = min(((some + 1) * WIDTH // wo + 1) * places.sh + places.tall, places.hp)
    image = np.empty(deep * (1 + (places.rest > 0)) * most * places.wp + 16, np.uint64)
    words = np.empty(deep * min(most, places.height) * places.width if numbers else 0, np.uint64)
    panel = np.empty(depth * WIDTH + 8, np.uint64)
    p = -(panel.ctypes.data // 8) % 8  # on a cache line
    table = corrections(work.taps, plan.outside, c * plan.outside.shape[0])
    classes = table.shape[1]
    counts = Counts(table.reshape(-1), classes if work.taps.size else 0, classes, plan.classes)
    left, steps = Rows(work.weights.reshape(-1), depth, o), (places.at, places.step_plane, places.step_at, places.runs)
    flat, flat_words, task = work.x.reshape(-1), work.words.reshape(-1), -1
    while True:
        task = take(counter) if threads > 1 else task + 1
        i, first = task // parts, task % parts * some
        if i >= n:
            break
        end = min(first + some, panels)
        u0 = start_of(first, pixels) // wo * places.sh
        u1 = min(start_of(end - 1, pixels) + WIDTH - 1, pixels - 1) // wo * places.sh + places.tall
        if numbers:
            h0, h1 = max(u0 - places.top, 0), min(u1 - places.top, places.height)
            length = max(h1 - h0, 0) * places.width
            for k in range(deep):
                at = (i * c + k * WORD) * size + h0 * places.width
                words_of_planes(words, k * length, flat, at, size, min(WORD, c - k * WORD), None, 0, length)
            fill(image, 8, words, -h0 * places.width, length, places, u0, u1)
        else:
            fill(image, 8, flat_words, i * deep * size, size, places, u0, u1)
        for g in range(first, end):
            gather(panel, p, image, 8 - u0 * places.wp, (u1 - u0) * places.wp, steps, g, depth)
            at = i * o * out.pitch + start_of(g, pixels)
            tiles(path, depth, left, panel, p, counts, g * WIDTH, out, at, 0)


@parallel_njit
def _parallel(path, work, plan, out, counter, threads):
    for _ in numba.prange(threads):
        _tasks(path, work, plan, out, counter, threads)
