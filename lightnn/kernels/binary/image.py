"""Images of words: where the windows of a convolution lie in them, and how they become panels.

What it computes. x (N, C, H, W) comes as words (N, C/64, H, W), the channels of a pixel in its words. A band of it, as
many rows as some output pixels need, gets a border. The output pixel (i, j) needs for the tap (k, l) the words at

    (i sh + k dh) * wp + j sw + l dw            wp: the width with the border

A panel is what WIDTH output pixels side by side need, running (popcount.py): for every step, a tap and a word of its
channels, the words of all of them. It is written to a buffer that stays in the first cache while the filters pass.
Pixels go on from row to row. The last WIDTH of a plane end at its end and overlap those before.

The border. `value` says what lies there: -1 or +1, a bit as any other; or 0, as in most networks. Zeros are no signs.
They are counted as -1 first, and then each sum is put right by an integer: a tap w in the border has added -sum w.
Pixels whose windows lie on the border in the same way are a class, nine of them for 3x3, and a filter has one integer a
class (`corrections`).

Joined taps. Few channels leave a word nearly empty. Where C <= 32 a word holds the taps l, l + 1, ... l + J - 1 of a
row of the window, J = min(KW, 64 / C); what remains of KW makes a second image.
"""

import functools
from typing import NamedTuple

import numba
import numpy as np

from lightnn.kernels.binary.popcount import WIDTH
from lightnn.kernels.binary.product import starts
from lightnn.kernels.binary.words import WORD
from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.vector.simd import copy


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
    sh: int
    tall: int  # rows of a window, with its dilation
    hp: int  # of the image with its border
    wp: int
    c: int
    height: int
    width: int
    top: int
    left: int
    many: int  # taps joined in a word of the first image
    rest: int  # and of the second one; 0: there is none
    dilation: int  # of columns
    ones: int  # whether the border is +1
    at: np.ndarray  # int64, of each panel's pixels, in the image with its border
    runs: np.ndarray  # of each 8 pixels: how many lie side by side, before others that do; 0: not in two runs
    step_plane: np.ndarray  # of each step: which plane of words
    step_at: np.ndarray  # and where in it


INTEGERS = Places._fields.index("at")


class Plan(NamedTuple):
    """Places for a call: to hand over an array costs 0.2 microseconds, so there are few."""

    places: np.ndarray  # int64: those of Places, one after another
    classes: np.ndarray  # int32, of each panel's pixels
    outside: np.ndarray  # int32 (taps, classes): 1 where the tap lies in the border


def joins(c, window):
    """How many taps of a row are joined in a word: of the first image, and of what remains."""
    many = 1 if 2 * c > WORD else min(window.kernel[1], WORD // max(c, 1))
    rest = window.kernel[1] % many
    return (many, rest) if rest else (many,)


@functools.lru_cache(32)
def make_plan(c, height, width, window):
    """(ho, wo, Plan) for images (C, H, W)."""
    (kh, kw), (sh, sw), (top, bottom, left, right), (dh, dw), value = window
    ho = out_size(height, kh, sh, top, bottom, dh)
    wo = out_size(width, kw, sw, left, right, dw)
    hp, wp = height + top + bottom, width + left + right
    many, deep = joins(c, window), -(-c // WORD)
    pixel = np.minimum(np.array(starts(ho * wo), np.int64)[:, None] + np.arange(WIDTH), ho * wo - 1)
    at = pixel // max(wo, 1) * sh * wp + pixel % max(wo, 1) * sw
    steps = [
        (int(l + many[0] > kw) * deep + word, k * dh * wp + l * dw)
        for k in range(kh)
        for l in range(0, kw, many[0])
        for word in range(deep)
    ]
    step_plane, step_at = np.array(steps, np.int64).reshape(-1, 2).T
    inside = np.zeros((hp, wp), bool)
    inside[top : top + height, left : left + width] = True
    tap = (np.arange(kh)[:, None] * dh * wp + np.arange(kw) * dw).reshape(-1)
    sets, classes = _classes(~inside.reshape(-1)[at.reshape(-1, 1) + tap] & (value == 0))
    outside = np.zeros((len(tap), -(-len(sets) // WIDTH) * WIDTH), np.int32)
    outside[:, : len(sets)] = sets.T
    numbers = (ho, wo, sh, (kh - 1) * dh + 1, hp, wp, c, height, width, top, left, *(*many, 0)[:2], dw, value > 0)
    lists = at.reshape(-1), _runs(at).reshape(-1), step_plane, step_at
    return ho, wo, Plan(np.concatenate([numbers, *lists]).astype(np.int64), classes, outside)


@numba.njit(cache=True, nogil=True)
def unfold(plan, depth):
    """Places of a Plan for `depth` steps."""
    n = plan.places
    a, b = INTEGERS + len(plan.classes), INTEGERS + len(plan.classes) // 8 * 9
    lists = n[INTEGERS:a], n[a:b], n[b : b + depth], n[b + depth : b + 2 * depth]
    return Places(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12], n[13], n[14], *lists)


def _classes(outside):
    """(classes, taps) bool, the one without a border first, and int32 (pixels,): the class of each."""
    none = np.zeros((1, outside.shape[1]), bool)
    sets, classes = np.unique(np.append(none, outside, axis=0), axis=0, return_inverse=True)
    return sets, classes.reshape(-1)[1:].astype(np.int32)


def _runs(at):
    """int64: of each 8 pixels the length k of the first run where they are pixels i + 0 .. i + k - 1 and then j + k ..
    j + 7; else 0."""
    eights, lane = at.reshape(-1, 8), np.arange(8)
    first, last = eights == eights[:, :1] + lane, eights == eights[:, 7:] - 7 + lane
    k = first.cumprod(1).sum(1)
    return np.where((last | (lane < k[:, None])).all(1), k, 0)


def taps_of(words, c, window):
    """int32 (O, KH*KW): the sum of the signs of each tap, of words (O, steps) that do not run."""
    (kh, kw), many = window.kernel, joins(c, window)[0]
    words = words.reshape(len(words), kh, -(-kw // many), -(-c // WORD))
    ones = np.empty((*words.shape[:3], many), np.int32)
    for j in range(many):
        bits = words >> np.uint64(j * c) & (~np.uint64(0) >> np.uint64(WORD - c)) if many > 1 else words
        ones[..., j] = np.bitwise_count(bits).sum(-1, dtype=np.int32)
    return np.ascontiguousarray(2 * ones.reshape(*words.shape[:2], -1)[..., :kw] - np.int32(c)).reshape(-1, kh * kw)


@numba.njit(cache=True, nogil=True)
def corrections(taps, outside, n):
    """int32 (O, classes): n, and what the taps outside have taken away: they were multiplied by -1, and not by 0. One
    row for all filters where there are no taps outside."""
    table = np.full((max(taps.shape[0], 1), outside.shape[1]), n, np.int32)
    for o in range(taps.shape[0]):
        for t in range(taps.shape[1]):
            for k in range(outside.shape[1]):
                table[o, k] += taps[o, t] * outside[t, k]
    return table


@numba.njit(cache=True, nogil=True)
def fill(image, to, words, word_at, word_plane, places, u0, u1):
    """Rows u0 .. u1 - 1 of the image with its border, from words: row h of word k at word_at + k word_plane + h W."""
    deep, wp, joined = -(-places.c // WORD), places.wp, places.many > 1
    row = np.empty(wp + WORD * places.dilation if joined else 0, np.uint64)
    for piece in range(deep * (1 + (places.rest > 0))):
        many, word = places.rest if piece >= deep else places.many, piece % deep
        some = min(WORD, places.c - word * WORD)
        outside = (~np.uint64(0) >> np.uint64(WORD - some)) if places.ones else np.uint64(0)
        for u in range(u0, u1):
            h, start = u - places.top, to + (piece * (u1 - u0) + u - u0) * wp
            at, width = word_at + word * word_plane + h * places.width, places.width if 0 <= h < places.height else 0
            if not joined:
                _bordered(image, start, wp, words, at, width, places.left, outside)
                continue
            _bordered(row, 0, len(row), words, at, width, places.left, outside)
            for s in range(1, many):  # from the left, so that what is read is not joined yet
                _join(row, wp, places.dilation, places.c, s, some)
            copy(image, start, row, 0, wp)


@numba.njit(cache=True, nogil=True)
def _bordered(row, to, size, words, at, width, left, outside):
    """`size` words: `width` of them of an image, with the border around them."""
    for i in range(to, to + left):
        row[i] = outside
    copy(row, to + left, words, at, width)
    for i in range(to + left + width, to + size):
        row[i] = outside


@numba.njit(cache=True, nogil=True)
def _join(row, size, dw, c, s, some):
    """Bits c*s .. of the words get the channels of the pixels s*dw further."""
    mask = ~np.uint64(0) >> np.uint64(WORD - some)
    for v in range(size):
        row[v] |= (row[v + s * dw] & mask) << np.uint64(c * s)
