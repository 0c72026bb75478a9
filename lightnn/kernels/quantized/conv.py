"""Convolution of bytes, channels last, dense or in groups, requantized to bytes: a matrix product that packs nothing.

What it computes, for x (N, H, W, C) uint8 with zero point Z1 and w (O, C/G, KH, KW) int8, with P output pixels
(n, i, j) and T taps (k, l, c):

    y[P, o] = clamp(Z3 + M[o] (b[o] + sum_T (patches[P, T] - Z1) w[o, T]), low, high)

Z1 is taken out of the sum beforehand, sum_T w (patches - Z1) = sum_T w patches - Z1 sum_T w[o, T] (Jacob et al. 2018,
arXiv:1712.05877, equation 7): requantize.Output holds b less the last term. So the border of x is filled with Z1. A
linear layer is the case of one pixel an image, `linear`. `sums` and `linear_sums` stop before M: for a last layer.

How memory is walked. Of an image with its channels last, a row of a window is KW*C bytes side by side: the
micro-kernel (panel_llvm.py) reads them in place as quads, at pixel + step (image.py). With groups or dilation the C/G
bytes of a tap are. Bytes behind the numbers meet weights 0. The weights are packed once, `pack`: panels of VECTORS
vectors of output channels. A task owns a part of the pixels, or of the panels where pixels are few. For BLOCK of them
after the other it runs through the panels, and for each panel through the pixels. Sums become bytes in registers. Where
channels do not fill a vector, a panel is written beside y first, and what counts of it is copied.

Why it is fast. The arithmetic is the micro-kernel's. Arithmetic intensity from main memory is 2*O*T*P operations over
C*H*W*N + O*T + O*P bytes: no byte of x is written KH*KW times. Sums are exact, so the result depends on no order and
no thread count.
"""

from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit
from lightnn.kernels.quantized.image import find_pixels, find_steps, layout, padded
from lightnn.kernels.quantized.panel_llvm import panel
from lightnn.kernels.quantized.quads import BEST, Left
from lightnn.kernels.quantized.requantize import LEAST, Output, requantize
from lightnn.kernels.vector import simd
from lightnn.kernels.vector.gemm import aligned_empty

BLOCK = 72  # pixels: their windows stay in the caches while the panels pass; a multiple of every path's rows
SERIAL_WORK = 1_000_000  # multiply-adds below which starting threads costs more than it saves
_NO_ROWS = np.empty(0, np.int64)


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
    if out.is_small:
        return _forward(x, filters, out, np.uint8, stride, padding)
    return requantize(sums(x, filters, np.zeros_like(out.b), out.x_zero, stride, padding), out)


def sums(x, filters, b, x_zero, stride=(1, 1), padding=(0, 0, 0, 0)):
    """The int32 (N, Ho, Wo, O) that `forward` requantizes, b (O,) int32 added: b of an Output."""
    return _forward(x, filters, Output(b, b, b, 0, 0, 0, x_zero, True), np.int32, stride, padding)


def linear(x, filters, out):
    """y (M, O) uint8 of x (M, K) uint8; filters: pack(w) of w (O, K)."""
    return forward(x.reshape(len(x), 1, 1, x.shape[1]), filters, out).reshape(len(x), len(out.b))


def linear_sums(x, filters, b):
    """The int32 (M, O) that `linear` requantizes, b (O,) int32 added."""
    return sums(x.reshape(len(x), 1, 1, x.shape[1]), filters, b, 0).reshape(len(x), len(b))


def _forward(x, filters, out, dtype, stride, padding):
    quads, shape, groups, dilation, path = filters
    image = layout(x.shape, shape[2:], tuple(stride), tuple(padding), dilation)
    y = np.empty((len(x), image.ho, image.wo, shape[0]), dtype)
    if y.size == 0:
        return y
    data = padded(x, image, padding, out.x_zero, filters.beyond)
    left = Left(data, _NO_ROWS, find_steps(image, shape, dilation, filters.run))
    count = y.size // shape[0]
    if y.size * quads.shape[2] * 4 < SERIAL_WORK:
        _all(path, left, quads.reshape(-1), y.reshape(-1), out, image, Cut(count, shape[0], groups, 1, 1))
    else:
        cut = _cut(count, shape[0], quads.shape[1], groups, path.rows)
        _parallel(path, left, quads.reshape(-1), y.reshape(-1), out, image, cut)
    return y


def _cut(count, o, panels, groups, rows):
    """By pixels; by panels where pixels are few, so that a thread reads a part of the weights only."""
    tiles, tasks = -(-count // rows), 2 * numba.get_num_threads()
    pixels = 1 if tiles < 8 * tasks and panels >= tasks else min(tiles, tasks)
    return Cut(count, o, groups, pixels, min(panels, -(-tasks // (pixels * groups))))


@parallel_njit
def _parallel(path, left, quads, y, out, image, cut):
    for task in numba.prange(cut.groups * cut.pixels * cut.panels):
        _task(path, left, quads, y, out, image, cut, task)


@numba.njit(cache=True, nogil=True)
def _all(path, left, quads, y, out, image, cut):
    for task in range(cut.groups * cut.pixels * cut.panels):
        _task(path, left, quads, y, out, image, cut, task)


@numba.njit(cache=True, nogil=True)
def _task(path, left, quads, y, out, image, cut, task):
    part, panel_part, group = task % cut.pixels, task // cut.pixels % cut.panels, task // cut.pixels // cut.panels
    tiles, m, width = -(-cut.count // path.rows), cut.o // cut.groups, path.lanes * path.vectors
    panels = -(-m // width)
    row, edge = np.empty(BLOCK, np.int64), np.empty(BLOCK * width if m % path.lanes else 0, y.dtype)
    left, beside = Left(left.bytes, row, left.step), _last_channels(out, (group + 1) * m, m % width, path.lanes)
    first, last = part * tiles // cut.pixels * path.rows, (part + 1) * tiles // cut.pixels * path.rows
    for pixel in range(first, min(cut.count, last), BLOCK):
        count = min(BLOCK, min(cut.count, last) - pixel)
        find_pixels(row, pixel, count, image, group * (image.c // cut.groups))
        for k in range(panel_part * panels // cut.panels, (panel_part + 1) * panels // cut.panels):
            at, channel = (group * panels + k) * len(left.step) * width, group * m + k * width
            channels, y_at = min(width, m - k * width), pixel * cut.o + channel
            vectors = -(-channels // path.lanes)
            if channels % path.lanes == 0:
                panel(path, vectors, left, quads, at, y, y_at, cut.o, count, out, channel)
            else:
                panel(path, vectors, left, quads, at, edge, 0, vectors * path.lanes, count, beside, 0)
                _keep(y, y_at, cut.o, edge, vectors * path.lanes, count, channels)


@numba.njit(cache=True, nogil=True)
def _last_channels(out, end, count, lanes):
    """The Output of the `count` channels before `end`, made up to whole vectors."""
    size = -(-count // lanes) * lanes
    b, m0, n = np.zeros(size, np.int32), np.zeros(size, np.int32), np.full(size, LEAST, np.int32)
    for i in range(count):
        b[i], m0[i], n[i] = out.b[end - count + i], out.m0[end - count + i], out.n[end - count + i]
    return Output(b, m0, n, out.zero, out.low, out.high, out.x_zero, out.is_small)


@numba.njit(cache=True, nogil=True)
def _keep(y, at, o, edge, width, count, channels):
    """The first `channels` numbers of each row of `edge`."""
    for r in range(count):
        simd.copy(y, at + r * o, edge, r * width, channels)
