"""Convolution of signs, packed, without im2col: the channels of a pixel are in its words, and windows are walked there.

What it computes, for x (N, C, H, W) and w (O, C, KH, KW) of -1 and +1, and the border's `value` (image.py):

    sums       int32 (N, O, Ho, Wo)     sum over the taps (k, l, c) of w x, zeros of the border left out
    forward    float32                  the sums times scale[o], plus bias[o]: two roundings

How memory is walked. Rows of the micro-kernel (popcount.py) are filters, read in place; its vectors are LANES output
pixels side by side, and a step is a tap and a word of its channels. So y is written in planes, as float32 networks
have them. A task owns a part of the pixels of all images; BLOCK pairs of vectors at a time meet all filters.

Why it is fast. x is packed once to 1/32 of its bytes, where a float convolution by im2col would write KH*KW times as
many. Arithmetic intensity: 2*C*KH*KW*O operations to C/8 + 4*O bytes a pixel.
"""

import functools
from typing import NamedTuple

import numpy as np

from lightnn.kernels.binary.image import Window, find_places, joins, place
from lightnn.kernels.binary.popcount import BEST, ByRow, Left, Masked, Right, Sums
from lightnn.kernels.binary.product import product
from lightnn.kernels.binary.words import WORD, expand, pack_tight


class Filters(NamedTuple):
    """Weights (O, C, KH, KW), packed for a Window."""

    words: np.ndarray  # uint64 (O, steps)
    shape: tuple
    window: Window
    path: tuple


def pack(w, stride=(1, 1), padding=(0, 0, 0, 0), dilation=(1, 1), value=0, path=BEST):
    """Filters of w (O, C, KH, KW), of which the signs count."""
    window = Window(w.shape[2:], tuple(stride), tuple(padding), tuple(dilation), value)
    return filters_of(pack_tight(w.transpose(0, 2, 3, 1) >= 0), w.shape, window, path)


def filters_of(bits, shape, window, path=BEST):
    """Filters of tight bits (words.py) of w, in the order (O, KH, KW, C) but of the shape (O, C, KH, KW)."""
    o, c, kh, kw = shape
    many = joins(c, window)[0]
    runs = [((k * kw + l) * c, c * min(many, kw - l)) for k in range(kh) for l in range(0, kw, many)]
    steps = [(first + b, min(WORD, size - b)) for first, size in runs for b in range(0, size, WORD)]
    first, length = np.array(steps, np.int64).reshape(-1, 2).T
    return Filters(expand(bits, o, c * kh * kw, first, length), shape, window, path)


def sums(words, filters):
    """int32 (N, O, Ho, Wo) of the words (N, C/64, H, W) of x."""
    return _convolve(words, filters, None, None, np.int32)


def forward(words, filters, scale, bias):
    """float32 (N, O, Ho, Wo) of the words (N, C/64, H, W) of x; scale, bias: float32 (O,)."""
    return _convolve(words, filters, scale, bias, np.float32)


def _convolve(words, filters, scale, bias, dtype):
    weights, (o, c, kh, kw), window, path = filters
    n = len(words)
    places = find_places((n, c, *words.shape[2:]), o, window, path.lanes) if n and o else None
    if places is None:
        places = find_places((1, c, *words.shape[2:]), 1, window, path.lanes)
        return np.empty((n, o, places.ho, places.wo), dtype)
    y = np.empty((n, o, places.size), dtype)
    row, y_row, w_row, step = _rows(o, path.rows, places.size, weights.shape[1])
    left = Left(weights.reshape(-1), w_row, step)
    right = Right(place(np.ascontiguousarray(words), c, window, places), places.at, places.step)
    if places.inside.size:
        right = Masked(*right, places.inside, places.inside_at, places.inside_step)
    out = Sums(y.reshape(-1), y_row, places.y_at, places.count, places.count_at)
    if scale is not None:
        out = ByRow(*out, scale, bias, row)
    work = y.size * c * kh * kw
    product(path, weights.shape[1], left, right, out, o, len(places.at), work)
    y = y[:, :, : places.ho * places.pitch].reshape(n, o, places.ho, places.pitch)
    return np.ascontiguousarray(y[..., : places.wo])


@functools.lru_cache(32)
def _rows(o, rows, size, depth):
    """Filters of whole tiles, the last one repeated: their numbers, places in y and in the weights; and the steps."""
    row = np.minimum(np.arange(-(-o // rows) * rows), o - 1)
    return row, row * size, row * depth, np.arange(depth)
