"""Depthwise convolution of bytes, channels last: every channel is filtered by its own m kernels, then requantized.

What it computes. x (N, H, W, C) uint8 with zero point Z1, w (C*m, 1, KH, KW) int8, y (N, HO, WO, C*m) uint8, c = o//m:

    y[n, i, j, o] = clamp(Z3 + M[o] (b[o] + sum_{k,l} w[o, k, l] (x[n, i*sh + k*dh - top, j*sw + l*dw - left, c] - Z1)))

How memory is walked. Output pixel by pixel, a vector of bytes (64 channels) at a time. Four taps of a row of the
window are loaded where they lie, a vector each, and woven to quads (depthwise_llvm.py): a quad is one channel at four
taps. The sums of 64 channels stay in four registers until they are bytes, and those are written side by side. The last
vector of a pixel ends at its last channel and overlaps the one before; of fewer channels than a vector holds, only
those are written. With m > 1 each channel is copied m times beforehand. At stride 1
the same quads serve the next pixel too: its weights are packed once more, a tap later.

Why it is fast. A 3 x 3 filter is three instructions for a vector of 16 sums; in float32 it is nine. Weaving and
requantizing cost more than the sums. Arithmetic intensity 2*KH*KW operations to 2 bytes of memory at stride 1, four
times that of float32. Threads take rows of y; sums are exact.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.quantized.depthwise_llvm import order, pair_rows, row_bytes, tile_sums
from lightnn.kernels.quantized.image import layout, padded
from lightnn.kernels.quantized.quads import BEST, PATHS
from lightnn.kernels.quantized.requantize import Output, requantize_block
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import aligned_empty

_HALF = {"vnni512": "vnni256", "madd512": "madd256", "madd256": "madd128"}


class Filters(NamedTuple):
    """Weights (C*m, 1, KH, KW), packed for blocks of 4 * lanes channels."""

    quads: np.ndarray  # int32 (2, blocks, steps, 4, lanes): at the first tap, and a tap later
    channel: np.ndarray  # (blocks, 4, lanes): whose quad that is
    shape: tuple
    m: int
    dilation: tuple
    path: tuple


def pack(w, m=1, dilation=(1, 1), path=BEST):
    """Filters of w (C*m, 1, KH, KW) int8."""
    o, _, kh, kw = w.shape
    while 2 * o <= 4 * path.lanes and _half(path):
        path = _half(path)
    size = 4 * path.lanes
    start = np.minimum(np.arange(0, max(o, 1), size), max(o - size, 0))
    channel = np.minimum(start[:, None, None] + order(path.lanes), max(o - 1, 0))
    many = -(-kw // 4)
    quads = aligned_empty((2, len(start), kh * many, 4, path.lanes), np.int32)
    for later, own in enumerate(quads if o else ()):
        taps = np.zeros((o, kh, 4 * many), np.int8)
        taps[..., later : kw + later] = w[:, 0, :, : 4 * many - later]
        own[:] = taps.view(np.int32).reshape(o, kh * many)[channel].transpose(0, 3, 1, 2)
    return Filters(quads, channel, w.shape, m, dilation, path)


def _half(path):
    """The path with half as many lanes, or None."""
    return next((p for p in PATHS if type(p).__name__ == _HALF.get(type(path).__name__)), None)


def forward(x, filters, out, stride=(1, 1), padding=(0, 0, 0, 0)):
    """y (N, Ho, Wo, C*m) uint8; filters: pack(w, ...), out: requantize.Output."""
    quads, channel, shape, m, dilation, path = filters
    x = np.repeat(x, m, axis=3) if m > 1 else x
    image = layout(x.shape, shape[2:], tuple(stride), tuple(padding), dilation)
    y = np.empty((len(x), image.ho, image.wo, shape[0]), np.uint8)
    if y.size == 0:
        return y
    data = padded(x, image, padding, out.x_zero, shape[0] < 4 * path.lanes)
    kh, kw = shape[2:]
    pairs = out.is_small and kw % 4 > 0 and (image.sw, dilation[1]) == (1, 1) and image.wo > 1
    tap = find_taps(image, (kh, kw + pairs), dilation)
    args = path, data, tap, quads.reshape(-1), channel.reshape(-1), out, y.reshape(-1), image
    alone = (_rows, _parallel) if out.is_small else (_any_rows, _parallel_any)
    ways = (_pair_rows, _parallel_pairs) if pairs else alone
    run(*ways, args, len(y) * image.ho, y.size)
    return y


@functools.lru_cache
def find_taps(image, kernel, dilation):
    """Byte offsets of the taps, (steps * 4,) int64: a row of the window in fours, its last repeated."""
    column = np.minimum(np.arange(-(-kernel[1] // 4) * 4), kernel[1] - 1) * dilation[1]
    row = np.arange(kernel[0]) * dilation[0] * image.wp
    return ((row[:, None] + column) * image.c).reshape(-1)


@numba.njit(cache=True, nogil=True)
def _row_at(row, image):
    """Where row `row` of y, counted over all images, starts in x and in y."""
    x_row = row // image.ho * image.hp + row % image.ho * image.sh
    return x_row * image.wp * image.c, row * image.wo * image.c


@numba.njit(cache=True, nogil=True)
def _ordered(out, channel):
    """The Output of `channel`, one after the other."""
    b, m0, n = np.empty(len(channel), np.int32), np.empty(len(channel), np.int32), np.empty(len(channel), np.int32)
    for i in range(len(channel)):
        b[i], m0[i], n[i] = out.b[channel[i]], out.m0[channel[i]], out.n[channel[i]]
    return Output(b, m0, n, out.zero, out.low, out.high, out.x_zero, out.is_small)


@numba.njit(cache=True, nogil=True)
def _rows(path, data, tap, quads, channel, out, y, image, first, last):
    """Rows first .. last of y, of all images."""
    steps, size, o, wo = len(tap) // 4, 4 * path.lanes, image.c, image.wo
    out, edge, step = _ordered(out, channel), np.empty(size * wo if o < size else 0, np.uint8), image.sw * o
    for row in range(first, last):
        x_at, y_at = _row_at(row, image)
        if o < size:
            row_bytes(path, steps, data, x_at, step, tap, quads, 0, out, 0, edge, 0, size, wo)
            _keep(y, y_at, o, edge, size, wo)
            continue
        for k in range(0, len(channel), size):
            c = channel[k]
            row_bytes(path, steps, data, x_at + c, step, tap, quads, k * steps, out, k, y, y_at + c, o, wo)


@numba.njit(cache=True, nogil=True)
def _pair_rows(path, data, tap, quads, channel, out, y, image, first, last):
    """As `_rows`, two pixels at a time."""
    steps, size, o, wo, second = len(tap) // 4, 4 * path.lanes, image.c, image.wo, len(quads) // 2
    out, edge = _ordered(out, channel), np.empty(size * wo if o < size else 0, np.uint8)
    for row in range(first, last):
        x_at, y_at = _row_at(row, image)
        if o < size:
            pair_rows(path, steps, data, x_at, o, tap, quads, 0, out, 0, edge, 0, size, wo, second)
            _keep(y, y_at, o, edge, size, wo)
            continue
        for k in range(0, len(channel), size):
            c = channel[k]
            pair_rows(path, steps, data, x_at + c, o, tap, quads, k * steps, out, k, y, y_at + c, o, wo, second)


@numba.njit(cache=True, nogil=True)
def _keep(y, at, o, edge, size, count):
    """The first o of `size` bytes of each pixel."""
    for pixel in range(count):
        simd.copy(y, at + pixel * o, edge, pixel * size, o)


@numba.njit(cache=True, nogil=True)
def _any_rows(path, data, tap, quads, channel, out, y, image, first, last):
    """As `_rows`, for an M of 1/4 or above."""
    steps, size, o = len(tap) // 4, 4 * path.lanes, image.c
    out, edge, sums = _ordered(out, channel), np.empty(size, np.uint8), np.empty(size, np.int32)
    for row in range(first, last):
        x_row, y_row = _row_at(row, image)
        for k in range(0, len(channel), size):
            for j in range(image.wo):
                x_at, y_at = x_row + j * image.sw * o + channel[k], y_row + j * o + channel[k]
                tile_sums(path, steps, data, x_at, tap, quads, k * steps, sums, 0)
                _finish(edge, sums, out, k, path.lanes)
                simd.copy(y, y_at, edge, 0, min(size, o))


@numba.njit(cache=True, nogil=True)
def _finish(edge, sums, out, channel, lanes):
    """The bytes of sums of any M, back in their order."""
    moved = np.empty(len(sums), np.uint8)
    requantize_block(moved, 0, 0, sums, 0, 1, len(sums), out, channel)
    for i in range(len(sums)):
        lane = i % lanes
        edge[16 * (lane // 4) + 4 * (i // lanes) + lane % 4] = moved[i]


@parallel_njit
def _parallel(path, data, tap, quads, channel, out, y, image, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _rows(path, data, tap, quads, channel, out, y, image, first, last)


@parallel_njit
def _parallel_pairs(path, data, tap, quads, channel, out, y, image, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _pair_rows(path, data, tap, quads, channel, out, y, image, first, last)


@parallel_njit
def _parallel_any(path, data, tap, quads, channel, out, y, image, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _any_rows(path, data, tap, quads, channel, out, y, image, first, last)
