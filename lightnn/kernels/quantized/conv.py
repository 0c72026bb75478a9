"""Convolution of bytes, channels last, dense or in groups, requantized to bytes: a matrix product that packs nothing.

What it computes, for x (N, H, W, C) uint8 with zero point Z1 and w (O, C/G, KH, KW) int8, with P output pixels
(n, i, j) and T taps (k, l, c):

    y[P, o] = clamp(Z3 + M[o] (b[o] + sum_T (patches[P, T] - Z1) w[o, T]), low, high)

Z1 is taken out of the sum beforehand, sum_T w (patches - Z1) = sum_T w patches - Z1 sum_T w[o, T] (Jacob et al. 2018,
arXiv:1712.05877, equation 7): requantize.Output holds b less the last term. So the border of x is filled with Z1. A
linear layer is the case of one pixel an image, `linear`. `sums` and `linear_sums` stop before M: for a last layer.

How memory is walked. Of an image with its channels last, a row of a window is KW*C bytes side by side: the
micro-kernel (quads.py) reads them in place as quads, at pixel + step (image.py). With groups or dilation the C/G bytes
of a tap are. Bytes behind the numbers meet weights 0. The weights are packed once, `pack`: panels of VECTORS vectors of
output channels. A task owns a part of the pixels. For BLOCK of them after the other it runs through the panels, and for
each panel through the pixels, ROWS at a time; a tile of sums goes from registers through the first-level cache into
bytes, and is never in memory.

Why it is fast. The arithmetic is the micro-kernel's. Arithmetic intensity from main memory is 2*O*T*P operations over
C*H*W*N + O*T + O*P bytes: no byte of x is written KH*KW times. Sums are exact, so the result depends on no order and
no thread count.
"""

from typing import NamedTuple

import numba
import numpy as np
from numba import types
from numba.extending import overload

from lightnn.kernels.parallel import SERIAL_WORK, parallel_njit
from lightnn.kernels.quantized.image import find_pixels, find_steps, layout, padded
from lightnn.kernels.quantized.quads import BEST, At, Left, tile, tile_row
from lightnn.kernels.quantized.requantize import requantize_block
from lightnn.kernels.vector.gemm import aligned_empty

BLOCK = 64  # pixels: their windows stay in the caches while the panels pass


class Filters(NamedTuple):
    """Weights (O, C/G, KH, KW), packed."""

    quads: np.ndarray  # int32 (groups, panels, steps, width)
    shape: tuple  # (O, C/G, KH, KW)
    groups: int
    dilation: tuple
    path: tuple

    @property
    def run(self):
        """Whether a row of a window is one run of bytes."""
        return self.groups == 1 and self.dilation[1] == 1

    @property
    def beyond(self):
        """Whether a last quad reaches beyond its window."""
        return (self.shape[1] * (self.shape[3] if self.run else 1)) % 4 > 0


class Cut(NamedTuple):
    """How a convolution is cut: a task is one group, and a part of the pixels and of the panels."""

    count: int  # pixels
    o: int
    groups: int
    pixels: int  # parts
    panels: int


def pack(w, groups=1, dilation=(1, 1), path=BEST):
    """Filters of w (O, C/G, KH, KW) or (O, K) int8."""
    w, groups = _joined(w.reshape(*w.shape, *(1,) * (4 - w.ndim)), groups, path.lanes)
    o, c, kh, kw = w.shape
    filters = Filters(None, w.shape, groups, dilation, path)
    rows = w.transpose(0, 2, 3, 1).reshape(o, *((kh, kw * c) if filters.run else (kh * kw, c)))
    quads = np.zeros((*rows.shape[:2], -(-rows.shape[2] // 4) * 4), np.int8)
    quads[..., : rows.shape[2]] = rows
    quads = quads.view(np.int32).reshape(groups, o // groups, rows.shape[1] * (quads.shape[2] // 4))
    width, depth = path.lanes * path.vectors, quads.shape[2]
    panels = aligned_empty((groups, -(-quads.shape[1] // width), depth, width), np.int32)
    wide = np.zeros((groups, panels.shape[1] * width, depth), np.int32)
    wide[:, : quads.shape[1]] = quads
    panels[:] = wide.reshape(groups, panels.shape[1], width, depth).swapaxes(2, 3)
    return filters._replace(quads=panels)


def _joined(w, groups, lanes):
    """(w, groups): small groups joined to larger ones, with weights 0 between them, until they fill a vector."""
    o, c, kh, kw = w.shape
    many = 1
    while groups % (2 * many) == 0 and o // groups * 2 * many <= lanes:
        many *= 2
    if many == 1:
        return w, groups
    wide = np.zeros((groups // many, many, o // groups, many, c, kh, kw), np.int8)
    for i in range(many):
        wide[:, i, :, i] = w.reshape(groups // many, many, o // groups, c, kh, kw)[:, i]
    return wide.reshape(o, many * c, kh, kw), groups // many


def forward(x, filters, out, stride=(1, 1), padding=(0, 0, 0, 0)):
    """y (N, Ho, Wo, O) uint8; x (N, H, W, C) uint8, filters: pack(w, ...), out: requantize.Output."""
    return _forward(x, filters, out, out.x_zero, np.uint8, stride, padding)


def sums(x, filters, b, x_zero, stride=(1, 1), padding=(0, 0, 0, 0)):
    """The int32 (N, Ho, Wo, O) that `forward` requantizes, b (O,) int32 added: b of an Output."""
    return _forward(x, filters, b, x_zero, np.int32, stride, padding)


def linear(x, filters, out):
    """y (M, O) uint8 of x (M, K) uint8; filters: pack(w) of w (O, K)."""
    return forward(x.reshape(len(x), 1, 1, x.shape[1]), filters, out).reshape(len(x), len(out.b))


def linear_sums(x, filters, b):
    """The int32 (M, O) that `linear` requantizes, b (O,) int32 added."""
    return sums(x.reshape(len(x), 1, 1, x.shape[1]), filters, b, 0).reshape(len(x), len(b))


def _forward(x, filters, out, x_zero, dtype, stride, padding):
    quads, shape, groups, dilation, path = filters
    image = layout(x.shape, shape[2:], tuple(stride), tuple(padding), dilation)
    y = np.empty((len(x), image.ho, image.wo, shape[0]), dtype)
    if y.size == 0:
        return y
    data = padded(x, image, padding, x_zero, filters.beyond)
    left = Left(data, np.empty(0, np.int64), find_steps(image, shape, dilation, filters.run))
    threads = numba.get_num_threads()
    edge = aligned_empty((threads, path.rows * path.lanes * path.vectors), np.int32)
    few = y.size * quads.shape[2] * 4 < SERIAL_WORK
    cut = Cut(y[..., 0].size, shape[0], groups, 1, 1) if few else _cut(y, quads, groups, path)
    (_all if few else _parallel)(path, left, quads.reshape(-1), y.reshape(-1), out, edge, image, cut)
    return y


def _cut(y, quads, groups, path):
    count, o = y[..., 0].size, y.shape[3]
    tasks = 2 * numba.get_num_threads()
    pixels = min(-(-count // path.rows), tasks)
    return Cut(count, o, groups, pixels, min(quads.shape[1], -(-tasks // (pixels * groups))))


@parallel_njit
def _parallel(path, left, quads, y, out, edge, image, cut):
    for task in numba.prange(cut.groups * cut.pixels * cut.panels):
        _task(path, left, quads, y, out, edge[numba.get_thread_id()], image, cut, task)


@numba.njit(cache=True, nogil=True)
def _all(path, left, quads, y, out, edge, image, cut):
    for task in range(cut.groups * cut.pixels * cut.panels):
        _task(path, left, quads, y, out, edge[0], image, cut, task)


@numba.njit(cache=True, nogil=True)
def _task(path, left, quads, y, out, edge, image, cut, task):
    part, panel_part, group = task % cut.pixels, task // cut.pixels % cut.panels, task // cut.pixels // cut.panels
    tiles, m, width = -(-cut.count // path.rows), cut.o // cut.groups, path.lanes * path.vectors
    panels = -(-m // width)
    row = np.empty(BLOCK, np.int64)
    left = Left(left.bytes, row, left.step)
    first, last = part * tiles // cut.pixels * path.rows, (part + 1) * tiles // cut.pixels * path.rows
    for pixel in range(first, min(cut.count, last), BLOCK):
        count = min(BLOCK, min(cut.count, last) - pixel)
        find_pixels(row, pixel, count, image, group * (image.c // cut.groups))
        for panel in range(panel_part * panels // cut.panels, (panel_part + 1) * panels // cut.panels):
            at, channel = (group * panels + panel) * len(left.step) * width, group * m + panel * width
            y_at = pixel * cut.o + channel
            _panel(path, left, quads, at, y, y_at, out, edge, count, channel, min(width, m - panel * width), cut.o)


@numba.njit(cache=True, nogil=True)
def _panel(path, left, quads, at, y, y_at, out, edge, count, channel, channels, o):
    """`count` pixels times the panel at `at`: `channels` channels of y from `channel` on."""
    width, depth, vectors = path.lanes * path.vectors, len(left.step), -(-channels // path.lanes)
    r = 0
    while r < count:
        rows = min(path.rows, count - r)
        if rows <= 2:
            rows = 1
            tile_row(path, vectors, depth, left, quads, At(r, at, 0), edge)
        else:
            tile(path, vectors, depth, left, quads, At(r, at, 0), edge, width)
        _write(y, y_at + r * o, o, edge, width, rows, channels, out, channel)
        r += rows


def _write(y, at, o, sums, width, rows, count, out, channel):
    """As requantize_block; into an int32 y the sums and a bias, `out`."""
    if y.dtype == np.uint8:
        requantize_block(y, at, o, sums, width, rows, count, out, channel)
    else:
        _add_bias(y, at, o, sums, width, rows, count, out, channel)


@overload(_write)
def _write_by_type(y, at, o, sums, width, rows, count, out, channel):
    way = requantize_block if y.dtype == types.uint8 else _add_bias
    return lambda y, at, o, sums, width, rows, count, out, channel: way(
        y, at, o, sums, width, rows, count, out, channel
    )


@numba.njit(cache=True, nogil=True)
def _add_bias(y, at, o, sums, width, rows, count, b, channel):
    for r in range(rows):
        _add_row(y[at + r * o : at + r * o + count], sums[r * width : r * width + count], b[channel : channel + count])


@numba.njit(cache=True, nogil=True)
def _add_row(y, sums, b):
    for i in range(len(y)):
        y[i] = sums[i] + b[i]
