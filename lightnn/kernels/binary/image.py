"""Images of words: where the windows of a convolution lie in them.

What it computes. x (N, C, H, W) comes as words (N, C/64, H, W), the channels of a pixel in its words. It gets a border,
and is cut into the sh * sw phases of the stride: phase (a, b) holds the pixels (u sh + a, v sw + b) of the padded
image, so that neighbouring output pixels read neighbouring words for every tap. The output pixel (i, j) needs for the
tap (k, l) the words at

    i * wq + j   +   (phase of (k dh, l dw)) * hq * wq + (k dh / sh) * wq + l dw / sw

The border. `value` says what lies there: -1 or +1, a bit as any other; or 0, as in most networks. Zeros are no signs:
then `inside` is a plane like the others, of words that are all ones where there is an image and 0 in the border, and
`count` says how many products each output pixel has.

Joined taps. Few channels leave a word nearly empty. Where C <= 32 and no zeros have to be left out, a word holds the
taps l, l + 1, ... l + J - 1 of a row of the window, J = min(KW, 64 / C); what remains of KW makes a second image.
Weights are joined in the same way (conv.py).

Pixels come as vectors of LANES neighbours. The last vector of a row ends at its end and overlaps the one before. Rows
of fewer pixels are taken together, with what lies between them, as one long row (`Places.pitch`).
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.binary.popcount import LANES
from lightnn.kernels.binary.product import starts, whole
from lightnn.kernels.binary.words import WORD
from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.parallel import parallel_njit, run


class Window(NamedTuple):
    """A convolution: kernel, stride, dilation as pairs; padding (top, bottom, left, right); value: -1, 0 or 1."""

    kernel: tuple
    stride: tuple
    padding: tuple
    dilation: tuple
    value: int


class Places(NamedTuple):
    """Where everything is for one shape of x."""

    ho: int
    wo: int
    pitch: int  # words from a row of y to the next one: wo, or more where rows are taken together
    size: int  # numbers in a plane of y as it is computed
    phases: tuple  # (sh, sw, hq, wq)
    joins: tuple  # how many taps are joined in each image of words: (1,), (J,) or (J, KW % J)
    at: np.ndarray  # of each vector: in the words
    y_at: np.ndarray  # in y, less the channel's part
    inside_at: np.ndarray  # in `inside`
    count_at: np.ndarray
    step: np.ndarray  # of each step
    inside_step: np.ndarray
    inside: np.ndarray  # uint64; empty unless zeros are left out
    count: np.ndarray  # int32


def joins(c, window):
    """How many taps of a row are joined in a word: of the first image, and of what remains."""
    masked = window.value == 0 and any(window.padding)
    many = 1 if masked or 2 * c > WORD else min(window.kernel[1], WORD // max(c, 1))
    rest = window.kernel[1] % many
    return (many, rest) if rest else (many,)


@functools.lru_cache(32)
def find_places(x_shape, o, window, lanes):
    """Places for x (N, C, H, W) and O filters; vectors of `lanes`."""
    (n, c, height, width), (kernel, stride, padding, dilation, value) = x_shape, window
    hp, wp = height + padding[0] + padding[1], width + padding[2] + padding[3]
    ho = out_size(height, kernel[0], stride[0], *padding[:2], dilation[0])
    wo = out_size(width, kernel[1], stride[1], *padding[2:], dilation[1])
    hq, wq = -(-hp // stride[0]), -(-wp // stride[1])
    phases, many = (*stride, hq, wq), joins(c, window)
    together = wo < LANES or wq == wo
    pitch = wq if together else wo
    size = max(LANES, ho * pitch) if together else ho * wo
    q, p = _vectors(ho, wo, wq, together, lanes)
    plane, depth = stride[0] * stride[1] * hq * wq, len(many) * -(-c // WORD)
    image = np.arange(n)[:, None]
    at, y_at = whole(image * (plane * depth) + q), whole(image * (size * o) + p)
    step, inside_step = _steps(c, window, phases, many)
    zeros, tile = np.zeros(len(at), np.int64), lambda places: whole(np.tile(places, n))
    if value or not any(padding):
        count = np.full(LANES, c * kernel[0] * kernel[1], np.int32)
        return Places(
            ho, wo, pitch, size, phases, many, at, y_at, zeros, zeros, step, step, np.zeros(0, np.uint64), count
        )
    inside = _inside(height, width, padding, phases)
    count = np.zeros(size + LANES, np.int32)
    for t in inside_step[:: -(-c // WORD)]:
        taps = (inside[t : t + ho * wq] != 0).astype(np.int32).reshape(ho, wq)[:, :pitch].reshape(-1)
        count[: len(taps)] += c * taps
    return Places(ho, wo, pitch, size, phases, many, at, y_at, tile(q), tile(p), step, inside_step, inside, count)


def _vectors(ho, wo, wq, together, lanes):
    """(where each vector of one image starts in a phase, where in a plane of y)."""
    part = np.arange(0, LANES, lanes)
    if together:
        places = (np.array(starts((ho - 1) * wq + wo))[:, None] + part).reshape(-1)
        return places, places
    column = (np.array(starts(wo))[:, None] + part).reshape(-1)
    row = np.arange(ho)[:, None]
    return (row * wq + column).reshape(-1), (row * wo + column).reshape(-1)


def _steps(c, window, phases, many):
    """(where each step reads in the images of words, and in `inside`), in the order of conv.py's weights."""
    (kh, kw), (dh, dw), (sh, sw, hq, wq) = window.kernel, window.dilation, phases
    plane, deep = sh * sw * hq * wq, -(-c // WORD)
    steps, inside = [], []
    for k in range(kh):
        for first in range(0, kw, many[0]):
            a, b = k * dh, first * dw
            tap = ((a % sh) * sw + b % sw) * hq * wq + a // sh * wq + b // sw
            image = int(first + many[0] > kw) * deep
            steps += [(image + word) * plane + tap for word in range(deep)]
            inside += [tap] * deep
    return np.array(steps, np.int64), np.array(inside, np.int64)


def _inside(height, width, padding, phases):
    """All ones where the padded image is not border, in the order of the phases."""
    sh, sw, hq, wq = phases
    ones = np.zeros((hq * sh, wq * sw), np.uint64)
    ones[padding[0] : padding[0] + height, padding[2] : padding[2] + width] = ~np.uint64(0)
    flat = ones.reshape(hq, sh, wq, sw).transpose(1, 3, 0, 2).reshape(-1)
    return np.append(flat, np.zeros(flat.size + LANES, np.uint64))


def place(words, c, window, places):
    """The words (N, C/64, H, W), bordered, joined, and in phases: flat, with LANES more behind them."""
    n, deep, height, width = words.shape
    sh, sw, hq, wq = places.phases
    if (sh, sw, *places.joins) == (1, 1, 1) and not any(window.padding):
        return np.append(words.reshape(-1), np.zeros(LANES, np.uint64))
    size = n * deep * len(places.joins) * sh * sw * hq * wq
    data = np.empty(size + LANES, np.uint64)
    data[size:] = 0
    border = Border(window.padding, places.joins, window.dilation[1], c, window.value > 0)
    args = data, words.reshape(-1), (deep, height, width), places.phases, border
    run(fill, _fill_parallel, args, n * deep * len(places.joins), size // 4)
    return data


class Border(NamedTuple):
    """What `fill` does besides copying."""

    padding: tuple
    joins: tuple
    dilation: int  # of columns
    c: int
    ones: bool  # whether the border is +1


@numba.njit(cache=True, nogil=True)
def fill(data, words, shape, phases, border, first, last):
    """Images of words first .. last - 1, counted over all images, joins and words of channels."""
    (deep, height, width), (sh, sw, hq, wq), (padding, many, dw, c, ones) = shape, phases, border
    row = np.empty(wq * sw + WORD * dw, np.uint64)
    for piece in range(first, last):
        n, join, word = piece // (deep * len(many)), piece // deep % len(many), piece % deep
        some = min(WORD, c - word * WORD)
        outside = (~np.uint64(0) >> np.uint64(WORD - some)) if ones else np.uint64(0)
        for u in range(hq * sh):
            h = u - padding[0]
            row[:] = outside
            if 0 <= h < height:
                at = ((n * deep + word) * height + h) * width
                row[padding[2] : padding[2] + width] = words[at : at + width]
            for s in range(1, many[join]):  # from the left, so that what is read is not joined yet
                _join(row, wq * sw, dw, c, s, some)
            for b in range(sw):
                at = (((piece * sh + u % sh) * sw + b) * hq + u // sh) * wq
                data[at : at + wq] = row[b : b + wq * sw : sw]


@numba.njit(cache=True, nogil=True)
def _join(row, size, dw, c, s, some):
    """Bits c*s .. of the words get the channels of the pixels s*dw further."""
    mask = ~np.uint64(0) >> np.uint64(WORD - some)
    for v in range(size):
        row[v] |= (row[v + s * dw] & mask) << np.uint64(c * s)


@parallel_njit
def _fill_parallel(data, words, shape, phases, border, pieces, parts):
    padding, many, dilation, c, ones = border  # a prange takes no tuple of tuples
    for part in numba.prange(parts):
        own = Border(padding, many, dilation, c, ones)
        fill(data, words, shape, phases, own, part * pieces // parts, (part + 1) * pieces // parts)
