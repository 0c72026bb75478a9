"""What one task of a step computes. A step is a row of numbers, a `Step`; its arrays are places in memory and tables.

    DENSE       a convolution or fully connected layer, with bias, shortcut and activation
    DEPTHWISE   one filter a channel
    EACH        lane by lane: x s + t, or x + z, or x times the gate of its image and channel
    MAX, MEAN   pooling; windows are cut off at the border of the image
    ZERO        the border around an image, which a convolution with padding reads
    ENTER       channels first to channels last, and LEAVE back

How memory is walked. A task has some of the pixels and, where these are few, some of the filters. It takes TILES tiles
of pixels at a time and runs through its filters, so that the pixels stay in the first-level cache and each filter is
read once for all of them. Sums longer than STEPS are cut.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from lightnn.kernels.program import tail
from lightnn.kernels.program.tile import At, V, depthwise, largest, one, wide
from lightnn.kernels.vector.gemm import ROWS

DENSE, DEPTHWISE, EACH, MAX, MEAN, ZERO, ENTER, LEAVE = range(8)
AFFINE, ADD, GATE, ADD_LANES, GATE_LANES = range(5)  # what EACH does
STEPS, TILES = 512, 8


class Step(NamedTuple):
    """One row of a program. A place is that of a number in memory, weights or table.

    pixels: of y, over all images. x_row, y_row, z_row: tables of their places in x, y and z (-1: no z). x_vector,
    z_vector: tables of where each vector of a pixel lies (in ..._LANES, each number). step: table of taps; depth: how
    many. w, b: in the weights. vectors: of a pixel of y. chunks, groups: how many tasks share the pixels, and the
    filters. act: of tail.py.
    """

    kind: int
    tasks: int
    pixels: int
    depth: int
    x_row: int
    step: int
    w: int
    b: int
    y_row: int
    z_row: int
    vectors: int
    panels: int
    chunks: int
    groups: int
    act: int
    x_vector: int
    z_vector: int
    mode: int
    image: int  # a Place in the table, of x


class Place(NamedTuple):
    """Where an array's pixels lie: image n, row i, column j begin at first + n * image + i * row + j * pixel."""

    first: int
    image: int
    row: int
    pixel: int
    height: int
    width: int
    channels: int  # for ZERO: numbers in a pixel


class Window(NamedTuple):
    """Of a pooling; the size of its output. counted: whether the border counts in a mean."""

    kh: int
    kw: int
    sh: int
    sw: int
    top: int
    left: int
    bottom: int
    right: int
    ho: int
    wo: int
    counted: int


@njit(cache=True, nogil=True)
def place_at(table, at):
    return Place(table[at], table[at + 1], table[at + 2], table[at + 3], table[at + 4], table[at + 5], table[at + 6])


@njit(cache=True, nogil=True)
def window_at(table, at):
    t = table[at : at + 11]
    return Window(t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], t[8], t[9], t[10])


@njit(cache=True, nogil=True)
def part_of(count, part, parts):
    return part * count // parts, (part + 1) * count // parts


@njit(cache=True, nogil=True)
def finish(s, memory, table, first, last, lane, count):
    """The activation of `count` lanes of the pixels first .. last-1."""
    if s.act != tail.NONE:
        for p in range(first, min(last, s.pixels)):
            tail.apply(s.act, memory, table[s.y_row + p] + lane, count)


@njit(cache=True, nogil=True)
def dense_task(s, task, memory, weights, table, bounds):
    tall = ROWS if s.pixels > 1 else 1
    tiles = -(-s.pixels // tall)
    first, last = part_of(tiles, task % s.chunks, s.chunks)
    first_panel, last_panel = part_of(s.panels, task // s.chunks, s.groups)
    for block in range(first, last, TILES):
        until = min(last, block + TILES)
        for panel in range(first_panel, last_panel):
            start, stop = part_of(s.vectors, panel, s.panels)
            count = stop - start
            for t in range(0, s.depth, STEPS):
                depth = min(STEPS, s.depth - t)
                w = s.w + start * V * s.depth + t * count * V
                ends = 1 if t + depth == s.depth else 0
                for tile in range(block, until):
                    p, lane = tile * tall, start * V
                    z_row = s.z_row + p if s.z_row >= 0 else -1
                    at = At(depth, s.x_row + p, 0, s.step + t, w, count * V, s.y_row + p, lane, z_row, s.b + lane,
                            min(t, 1), ends)  # fmt: skip
                    if tall == 1:
                        one(count, memory, weights, table, at, bounds)
                    else:
                        wide(count, memory, weights, table, at, bounds)
            finish(s, memory, table, block * tall, until * tall, start * V, count * V)


@njit(cache=True, nogil=True)
def depthwise_task(s, task, memory, weights, table, bounds):
    tiles = -(-s.pixels // ROWS)
    first, last = part_of(tiles, task, s.chunks)
    for tile in range(first, last):
        p = tile * ROWS
        for k in range(s.vectors):
            lane = k * V
            at = At(s.depth, s.x_row + p, table[s.x_vector + k], s.step, s.w + lane, s.vectors * V, s.y_row + p, lane,
                    -1, s.b + lane, 0, 1)  # fmt: skip
            depthwise(memory, weights, table, at, bounds)
        finish(s, memory, table, p, p + ROWS, 0, s.vectors * V)


@njit(cache=True, nogil=True)
def each_task(s, task, memory, weights, table, bounds):
    first, last = part_of(s.pixels, task, s.chunks)
    for p in range(first, last):
        x_at, y_at = table[s.x_row + p], table[s.y_row + p]
        if s.mode >= ADD_LANES:
            _each_lane(s, p, memory, table, bounds)
            continue
        for k in range(s.vectors):
            x, y = x_at + table[s.x_vector + k], y_at + k * V
            if s.mode == AFFINE:
                w, b = s.w + k * V, s.b + k * V
                for i in range(V):
                    memory[y + i] = _clamp(memory[x + i] * weights[w + i] + weights[b + i], bounds)
            else:
                z = table[s.z_row + p] + table[s.z_vector + k]
                if s.mode == ADD:
                    for i in range(V):
                        memory[y + i] = _clamp(memory[x + i] + memory[z + i], bounds)
                else:
                    for i in range(V):
                        memory[y + i] = _clamp(memory[x + i] * memory[z + i], bounds)
    finish(s, memory, table, first, last, 0, s.vectors * V)


@njit(cache=True, nogil=True)
def _each_lane(s, p, memory, table, bounds):
    """Operands whose channels lie in different slots: x_vector and z_vector have a place for each number of y."""
    x, z, y = table[s.x_row + p], table[s.z_row + p], table[s.y_row + p]
    for i in range(s.vectors * V):
        a, b = memory[x + table[s.x_vector + i]], memory[z + table[s.z_vector + i]]
        memory[y + i] = _clamp(a + b if s.mode == ADD_LANES else a * b, bounds)


@njit(cache=True, nogil=True)
def _clamp(v, bounds):
    v = bounds.low if v < bounds.low else v
    return bounds.high if v > bounds.high else v


@njit(cache=True, nogil=True)
def max_task(s, task, memory, table):
    x, win = place_at(table, s.image), window_at(table, s.step)
    first, last = part_of(s.pixels, task, s.chunks)
    for p in range(first, last):
        n, i, j = p // (win.ho * win.wo), p // win.wo % win.ho, p % win.wo
        top, left = i * win.sh - win.top, j * win.sw - win.left
        y = table[s.y_row + p]
        rows, columns = (max(0, top), min(x.height, top + win.kh)), (max(0, left), min(x.width, left + win.kw))
        at = x.first + n * x.image + rows[0] * x.row + columns[0] * x.pixel
        high, wide = rows[1] - rows[0], columns[1] - columns[0]
        for k in range(s.vectors):
            largest(memory, y + k * V, at + table[s.x_vector + k], high, x.row, wide, x.pixel)


@njit(cache=True, nogil=True)
def mean_task(s, task, memory, table):
    """Sums are float64."""
    x, win = place_at(table, s.image), window_at(table, s.step)
    first, last = part_of(s.pixels, task, s.chunks)
    total = np.zeros(s.vectors * V, np.float64)
    for p in range(first, last):
        n, i, j = p // (win.ho * win.wo), p // win.wo % win.ho, p % win.wo
        if win.sh == 0:  # adaptive: window i has the rows floor(i H / h) to ceil((i + 1) H / h) - 1
            top, bottom = i * x.height // win.ho, -(-(i + 1) * x.height // win.ho)
            left, right = j * x.width // win.wo, -(-(j + 1) * x.width // win.wo)
            size = (bottom - top) * (right - left)
        else:
            top, left = i * win.sh - win.top, j * win.sw - win.left
            bottom, right = top + win.kh, left + win.kw
            size = (min(bottom, x.height + win.bottom) - top) * (min(right, x.width + win.right) - left)
            top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, x.height), min(right, x.width)
            size = size if win.counted else (bottom - top) * (right - left)
        total[:] = 0
        for u in range(top, bottom):
            for v in range(left, right):
                source = x.first + n * x.image + u * x.row + v * x.pixel
                for k in range(s.vectors):
                    at = source + table[s.x_vector + k]
                    for lane in range(V):
                        total[k * V + lane] += memory[at + lane]
        y, share = table[s.y_row + p], 1.0 / max(size, 1)
        for lane in range(s.vectors * V):
            memory[y + lane] = total[lane] * share


@njit(cache=True, nogil=True)
def zero_task(s, task, memory, table):
    """All of the border that surrounds `image`; window: how wide it is."""
    x, win = place_at(table, s.image), window_at(table, s.step)
    first, last = part_of(s.pixels, task, s.chunks)  # images
    for n in range(first, last):
        for u in range(-win.top, x.height + win.bottom):
            at = x.first + n * x.image + u * x.row
            if 0 <= u < x.height:
                memory[at - win.left * x.pixel : at] = 0
                memory[at + x.width * x.pixel : at + (x.width + win.right) * x.pixel] = 0
            else:
                memory[at - win.left * x.pixel : at + (x.width + win.right) * x.pixel] = 0


@njit(cache=True, nogil=True)
def enter_task(s, task, memory, table, given):
    """Rows of the images that came, channels first, to where they belong."""
    y = place_at(table, s.image)
    first, last = part_of(s.pixels // y.width, task, s.chunks)
    area = y.height * y.width
    for row in range(first, last):
        n, i = row // y.height, row % y.height
        to, source = y.first + n * y.image + i * y.row, n * y.channels * area + i * y.width
        for c in range(y.channels):
            for j in range(y.width):
                memory[to + j * y.pixel + c] = given[source + c * area + j]


@njit(cache=True, nogil=True)
def leave_task(s, task, memory, table, result):
    """result[n, c, p] = x, channel by channel; step: the place of each channel in a pixel."""
    images, channels = s.mode, s.depth
    area = s.pixels // images
    first, last = part_of(images * channels, task, s.chunks)
    for plane in range(first, last):
        n, lane = plane // channels, table[s.step + plane % channels]
        for p in range(area):
            result[plane * area + p] = memory[table[s.x_row + n * area + p] + lane]
