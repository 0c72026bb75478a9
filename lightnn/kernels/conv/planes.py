"""One padded plane in a scratch buffer, split by the phase of the stride: where a window's taps become plain offsets.

What it computes. A plane is one channel of one image. A window with kernel K, stride s, dilation d and padding p reads
x[i*s + k*d - p] for output i and tap k. `fill` copies a band of one plane into a buffer

    b[phase, u, v] = x[u*s + phase - p]         zero (or any `border`) outside x

in which the number for output i and tap k is b[k*d % s, i + k*d // s]: at flat index q + offset[k], where
q = i * pitch + j runs over the outputs. So every window operation, at any stride, dilation and padding, is a sum (or
maximum) of K*K shifted copies of one flat array, with no test for the border. The pitch - out_w numbers between two
rows are computed too and thrown away.

How memory is walked. x is read once, row by row. The buffer is small enough (`CACHE` numbers) to stay in the
first-level cache and is used again for the next plane.

Why it is fast. Vectors run across the ends of short rows: a 7 x 7 image is one run of 63 numbers, not 7 runs of 7. The
copy costs one load and one store a number, against the K*K multiply-adds that it simplifies; arithmetic intensity 0.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.exercise import exercise
from lightnn.kernels.vector import simd

CACHE = 6144  # numbers in a scratch buffer: 24 KiB of float32, half of a common first-level cache


class Window(NamedTuple):
    """How the outputs of a plane lie over its padded input."""

    height: int  # of the plane x
    width: int
    sh: int  # stride
    sw: int
    top: int  # padding; negative crops
    left: int
    out_h: int
    out_w: int
    high: int  # phases in use, vertically
    wide: int  # and horizontally
    band: int  # output rows computed at a time
    rows: int  # rows of a phase in the buffer: band + the furthest tap
    pitch: int  # length of its rows: out_w + the furthest tap


@functools.lru_cache
def window(shape, out_shape, reach, stride, top_left, copies=1):
    """Window over a plane of `shape` whose furthest tap is `reach` = (K-1)*d beyond the first."""
    down, right = reach[0] // stride[0], reach[1] // stride[1]
    high, wide = min(stride[0], reach[0] + 1), min(stride[1], reach[1] + 1)
    pitch = out_shape[1] + right
    band = max(1, CACHE // (pitch * high * wide * copies) - down)
    bands = max(1, -(-out_shape[0] // band))
    band = -(-out_shape[0] // bands)
    return Window(*shape, *stride, *top_left, *out_shape, high, wide, band, band + down, pitch)


@functools.lru_cache
def tap_offsets(win, kernel, dilation):
    """Offset of tap (k, l) in the buffer, shape (KH*KW,)."""
    k, l = np.arange(kernel[0])[:, None] * dilation[0], np.arange(kernel[1]) * dilation[1]
    phase = (k % win.sh) * win.wide + l % win.sw
    return ((phase * win.rows + k // win.sh) * win.pitch + l // win.sw).reshape(-1).astype(np.int64)


@exercise("12.1")
def out_size(size, kernel, stride, before, after, dilation=1):
    """How many outputs a window has along one axis, an int. All arguments are ints.

        floor((size + before + after - dilation (kernel - 1) - 1) / stride) + 1

    size: the numbers of the image, before and after: the zeros that are added in front of them and behind. The window
    reads `kernel` numbers, each `dilation` from the last one, and moves by `stride`. The formula also holds where no
    window fits: then the result is 0 or less.
    """
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


@numba.njit(cache=True, nogil=True)
def buffer_size(win):
    return win.high * win.wide * win.rows * win.pitch


@numba.njit(cache=True, nogil=True)
def inside(phase, before, stride, size, out):
    """The first and the last + 1 index v, 0 <= v < out, for which v*stride + phase - before lies in 0..size-1."""
    start, stop = before - phase, size + before - phase
    if stride > 1:  # a division costs as much as a row of numbers
        start, stop = -(-start // stride), -(-stop // stride)
    start = min(out, max(0, start))
    return start, max(start, min(out, stop))


@numba.njit(cache=True, nogil=True)
def fill(buffer, x, x_at, win, first_row, border):
    """Copy what output rows first_row .. need. Columns outside x are not written: they keep the border they had."""
    for a in range(win.high):
        top, bottom = inside(a, win.top - first_row * win.sh, win.sh, win.height, win.rows)
        for b in range(win.wide):
            first, last = inside(b, win.left, win.sw, win.width, win.pitch)
            to = (a * win.wide + b) * win.rows * win.pitch + first
            if win.band < win.out_h:
                _paint_rows(buffer, to, 0, top, last - first, win.pitch, border)
                _paint_rows(buffer, to, bottom, win.rows, last - first, win.pitch, border)
            for u in range(top, bottom):
                row = x_at + ((first_row + u) * win.sh + a - win.top) * win.width
                simd.pick(buffer, to + u * win.pitch, x, row + first * win.sw + b - win.left, last - first, win.sw)


@numba.njit(cache=True, nogil=True)
def _paint_rows(buffer, at, first, last, width, pitch, border):
    for u in range(first, last):
        for v in range(at + u * pitch, at + u * pitch + width):
            buffer[v] = border


@numba.njit(cache=True, nogil=True)
def crop(y, y_at, out, rows, width, pitch):
    """The first `width` of every `pitch` numbers of `out`, as consecutive rows of y."""
    for r in range(rows):
        simd.copy(y, y_at + r * width, out, r * pitch, width)
