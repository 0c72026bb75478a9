"""Depthwise convolution of bytes, channels last: every channel is filtered by its own m kernels, then requantized.

What it computes. x (N, H, W, C) uint8 with zero point Z1, w (C*m, 1, KH, KW) int8, y (N, HO, WO, C*m) uint8, c = o//m:

    y[n, i, j, o] = clamp(Z3 + M[o] (b[o] + sum_{k,l} w[o, k, l] (x[n, i*sh + k*dh - top, j*sw + l*dw - left, c] - Z1)))

How memory is walked. Output pixel by pixel, a vector of bytes (64 channels) at a time. Four taps of a row of the
window are loaded where they lie, a vector each, and woven to quads (depthwise_llvm.py): a quad is one channel at four
taps. The sums of 64 channels stay in four registers until they are bytes, and those are written side by side. The last
vector of a pixel ends at its last channel and overlaps the one before; of fewer channels than a vector holds, only
those are written. With m > 1 each channel is copied m times beforehand.

Why it is fast. A 3 x 3 filter is three instructions for a vector of 16 sums; in float32 it is nine. Weaving and
requantizing cost more than the sums. Arithmetic intensity 2*KH*KW operations to 2 bytes of memory at stride 1, four
times that of float32. Threads take rows of y; sums are exact.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.quantized.depthwise_llvm import tile_bytes, tile_sums
from lightnn.kernels.quantized.image import layout, padded
from lightnn.kernels.quantized.quads import BEST, PATHS
from lightnn.kernels.quantized.requantize import LEAST, Output, requantize_block
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import aligned_empty

_HALF = {"vnni512": "vnni256", "madd512": "madd256", "madd256": "madd128"}


class Filters(NamedTuple):
    """Weights (C*m, 1, KH, KW), packed for blocks of 4 * lanes channels."""

    quads: np.ndarray  # int32 (blocks, steps, 4, lanes)
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
    order = np.arange(size).reshape(path.lanes, 4).T
    channel = np.minimum(start[:, None, None] + order, max(o - 1, 0))
    taps = np.zeros((o, kh, -(-kw // 4) * 4), np.int8)
    taps[..., :kw] = w[:, 0]
    steps = taps.view(np.int32).reshape(o, kh * (taps.shape[2] // 4))
    quads = aligned_empty((len(start), steps.shape[1], 4, path.lanes), np.int32)
    quads[:] = steps[channel].transpose(0, 3, 1, 2) if o else 0
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
    tap = find_taps(image, shape[2:], dilation)
    ordered = Output(*(np.ascontiguousarray(part[channel]).reshape(-1) for part in out[:3]), *out[3:])
    small = bool(out.n.min() >= LEAST)
    args = path, data, tap, quads.reshape(-1), channel[:, 0, 0].copy(), ordered, y.reshape(-1), image, small
    run(_rows, _parallel, args, len(y) * image.ho, y.size * len(tap))
    return y


def find_taps(image, kernel, dilation):
    """Byte offsets of the taps, (steps * 4,) int64: a row of the window in fours, its last repeated."""
    column = np.minimum(np.arange(-(-kernel[1] // 4) * 4), kernel[1] - 1) * dilation[1]
    row = np.arange(kernel[0]) * dilation[0] * image.wp
    return ((row[:, None] + column) * image.c).reshape(-1)


@parallel_njit
def _parallel(path, data, tap, quads, start, out, y, image, small, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _rows(path, data, tap, quads, start, out, y, image, small, first, last)


@numba.njit(cache=True, nogil=True)
def _rows(path, data, tap, quads, start, out, y, image, small, first, last):
    """Rows first .. last of y, of all images. small: M < 1/4, which the tile can requantize."""
    steps, size, o = len(tap) // 4, 4 * path.lanes, image.c
    edge, sums = np.empty(size, np.uint8), np.empty(size, np.int32)
    for row in range(first, last):
        x_row = (row // image.ho * image.hp + row % image.ho * image.sh) * image.wp
        for block in range(len(start)):
            w, channel = block * steps * size, block * size
            for j in range(image.wo):
                x_at = (x_row + j * image.sw) * o + start[block]
                y_at = (row * image.wo + j) * o + start[block]
                if small and o >= size:
                    tile_bytes(path, steps, data, x_at, tap, quads, w, out, channel, y, y_at)
                    continue
                if small:
                    tile_bytes(path, steps, data, x_at, tap, quads, w, out, channel, edge, 0)
                else:
                    tile_sums(path, steps, data, x_at, tap, quads, w, sums, 0)
                    _finish(edge, sums, out, channel, path.lanes)
                simd.copy(y, y_at, edge, 0, min(size, o))


@numba.njit(cache=True, nogil=True)
def _finish(edge, sums, out, channel, lanes):
    """The bytes of sums of any M, back in their order."""
    moved = np.empty(len(sums), np.uint8)
    requantize_block(moved, 0, 0, sums, 0, 1, len(sums), out, channel)
    for i in range(4):
        for lane in range(lanes):
            edge[4 * lane + i] = moved[i * lanes + lane]
