"""Images of bytes, channels last: padded once, and where the windows of a convolution lie in them.

What it computes. `padded` gives x (N, H, W, C) uint8 a border of the zero point, on every side, as one flat array: then
what the output pixel (n, i, j) needs for the tap (k, l) are the C bytes from

    ((n*Hp + i*sh) * Wp + j*sw) * C   +   (k*dh * Wp + l*dw) * C          Hp, Wp: height and width with the border
    `find_pixels`: the pixel              `find_steps`: the tap

and no test for the border is left. Behind the last byte lie `SLACK` more: a reader takes four bytes at a time
(quads.py), or 64 (depthwise.py), and those beyond its numbers meet weights 0.

How memory is walked. A row of x is one run of bytes, copied as such. Where there is no border and nobody reads beyond
the end, x is taken as it is.

Why it is fast. Arithmetic intensity 0: it costs bandwidth, a quarter of what padding float32 costs.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.vector import simd

SLACK = 64


class Image(NamedTuple):
    """How output pixels lie over a padded image."""

    ho: int
    wo: int
    hp: int
    wp: int
    c: int  # bytes of a pixel
    sh: int
    sw: int


@functools.lru_cache
def layout(x_shape, kernel, stride, padding, dilation):
    """Image of x (N, H, W, C), padding (top, bottom, left, right) >= 0."""
    (_, height, width, c), (top, bottom, left, right) = x_shape, padding
    ho = out_size(height, kernel[0], stride[0], top, bottom, dilation[0])
    wo = out_size(width, kernel[1], stride[1], left, right, dilation[1])
    return Image(ho, wo, height + top + bottom, width + left + right, c, *stride)


def padded(x, image, padding, zero, beyond):
    """The flat bytes: x itself where there is no border and nobody reads `beyond` the last window."""
    flat = np.ascontiguousarray(x).reshape(-1)
    if not (any(padding) or beyond):
        return flat
    (top, bottom, left, right), rows, wide = padding, len(x) * image.hp, image.wp * image.c
    data = np.empty(rows * wide + SLACK, np.uint8)
    data[rows * wide :] = 0
    args = data, flat, image.hp, wide, (top, bottom, left * image.c, right * image.c), zero
    run(_fill, _fill_parallel, args, rows, data.size // 4)
    return data


@numba.njit(cache=True, nogil=True)
def _fill(data, x, high, wide, border, zero, first, last):
    """Rows first .. last of all images; the border left and right in bytes."""
    top, bottom, left, right = border
    height, width = high - top - bottom, wide - left - right
    for row in range(first, last):
        at, h = row * wide, row % high - top
        if h < 0 or h >= height:
            data[at : at + wide] = zero
            continue
        data[at : at + left] = zero
        simd.move(data, at + left, x, (row // high * height + h) * width, width)
        data[at + left + width : at + wide] = zero


@parallel_njit
def _fill_parallel(data, x, high, wide, border, zero, pieces, parts):
    for part in numba.prange(parts):
        _fill(data, x, high, wide, border, zero, part * pieces // parts, (part + 1) * pieces // parts)


@functools.lru_cache
def find_steps(image, shape, dilation, run):
    """Byte offsets of the quads of a window, int64, for weights of `shape` (O, C, KH, KW): those of KH*KW taps of C
    bytes each, or with `run` of KH runs of KW*C bytes."""
    _, c, kh, kw = shape
    taps = [k * dilation[0] * image.wp * image.c for k in range(kh)]
    if not run:
        taps = [tap + column * dilation[1] * image.c for tap in taps for column in range(kw)]
    size = kw * c if run else c
    return np.array([tap + q for tap in taps for q in range(0, size, 4)], np.int64)


@numba.njit(cache=True, nogil=True)
def find_pixels(row, first, count, image, start):
    """row[r] = `start` + the byte offset of output pixel first + r, counted over all images. Beyond `count` the last is
    repeated."""
    area = image.ho * image.wo
    n, i, j = first // area, first % area // image.wo, first % image.wo
    at = 0
    for r in range(len(row)):
        if r < count:
            at = ((n * image.hp + i * image.sh) * image.wp + j * image.sw) * image.c + start
            j += 1
            if j == image.wo:
                i, j = i + 1, 0
                if i == image.ho:
                    n, i = n + 1, 0
        row[r] = at
