"""Signs as bits, 64 to a word: bit 1 for +1, bit 0 for -1.

What it computes. +1 is a number >= `least`, which is 0 unless it is given; so the sign of 0, and of -0.0, is +1, and
NaN has bit 0. Channel or column k is bit k % 64 of word k // 64. The bits of a last word that stand for nothing are 0.

    pack_signs     words (..., K/64) of x (..., K): the definition             unpack_signs: back to -1 and +1
    pack_rows      the same of a matrix (N, K)
    pack_planes    words (N, C/64, P) of images (N, C, P): the channels of a pixel are in its words
    unpack_planes  back to float32
    expand         words of a run of bits without gaps, which is how weights are held (`pack_tight`)

`least` (K,) or (C,) and `flip` (K/64,) are what a batch norm before the signs comes to (threshold.py): bit = (x >=
least) ^ flip.

How memory is walked. x once, as it lies; a word is written once. The innermost loops are words_llvm.py's.
"""

import math

import numba
import numpy as np

from lightnn.exercise import exercise
from lightnn.kernels.binary import words_llvm
from lightnn.kernels.parallel import parallel_njit, run

WORD = 64


@exercise("09.8")
def pack_signs(x):
    """Words, uint64 (..., ceil(K / 64)), of the signs of x (..., K), floats or integers:

        bit k % 64 of word k // 64 = 1 where x[..., k] >= 0, else 0

    Bit 0 is the least significant one. The bits after the last number are 0. The sign of 0 and of -0.0 is +1, bit 1;
    NaN has bit 0. x stays as it is. For K = 0 there are no words.
    """
    count = -(-x.shape[-1] // WORD)
    bits = np.zeros((*x.shape[:-1], count * WORD), np.uint64)
    bits[..., : x.shape[-1]] = x >= 0
    places = np.arange(WORD, dtype=np.uint64)
    return (bits.reshape(*x.shape[:-1], count, WORD) << places).sum(-1, dtype=np.uint64)


def unpack_signs(words, count):
    """float32 (..., count), +1 where a bit of words (..., W) is 1, else -1, for bits 0 .. count - 1; count <= 64 W."""
    bits = (words[..., None] >> np.arange(WORD, dtype=np.uint64)) & np.uint64(1)
    bits = bits.reshape(*words.shape[:-1], words.shape[-1] * WORD)[..., :count]
    return np.where(bits == 1, np.float32(1), np.float32(-1))


@exercise("09.9")
def xnor_dot(a, b, count):
    """The sum over k < count of the products of signs a_k b_k, an int, for words a and b (W,) of pack_signs:

        a . b = count - 2 popcount(a XOR b)

    (Rastegari et al. 2016, arXiv:1603.05279, section 3.2, with XNOR instead: 2 popcount(a XNOR b) - count, if the bits
    after the last sign did not count). Those bits are 0 in a and in b.
    """
    return count - 2 * int(np.bitwise_count(a ^ b).sum())


def pack_rows(x, least=None, flip=None):
    """words (N, K/64) of x (N, K)."""
    n, k = x.shape
    words = np.empty((n, -(-k // WORD)), np.uint64)
    args = words.reshape(-1), np.ascontiguousarray(x).reshape(-1), least, flip, k
    run(_rows, _rows_parallel, args, n, n * k // 8)
    return words


def pack_planes(x, least=None, flip=None):
    """words (N, C/64, ...) of x (N, C, ...)."""
    n, c = x.shape[:2]
    count = -(-c // WORD)
    words = np.empty((n, count, *x.shape[2:]), np.uint64)
    size = words[:1, :1].size
    args = words.reshape(-1), np.ascontiguousarray(x).reshape(-1), least, flip, c, size
    run(planes_into, _planes_parallel, args, n * count, n * c * size // 8)
    return words


@numba.njit(cache=True, nogil=True)
def row_into(words, w_at, x, x_at, least, k):
    """The words of k numbers in a row. least: an array, or None for 0."""
    whole = k // WORD
    words64(words, w_at, x, x_at, least, whole)
    if k > whole * WORD:
        word = np.uint64(0)
        for i in range(whole * WORD, k):
            bit = x[x_at + i] >= 0 if least is None else x[x_at + i] >= least[i]
            word |= np.uint64(bit) << np.uint64(i % WORD)
        words[w_at + whole] = word


@numba.njit(cache=True, nogil=True)
def _rows(words, x, least, flip, k, first, last):
    """The words of rows first .. last - 1."""
    count = -(-k // WORD)
    for row in range(first, last):
        row_into(words, row * count, x, row * k, least, k)
        if flip is not None:
            for t in range(count):
                words[row * count + t] ^= flip[t]


@parallel_njit
def _rows_parallel(words, x, least, flip, k, pieces, parts):
    for part in numba.prange(parts):
        _rows(words, x, least, flip, k, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def planes_into(words, x, least, flip, c, size, first, last):
    """Planes of words first .. last - 1, counted over all images."""
    count = -(-c // WORD)
    for plane in range(first, last):
        n, t = plane // count, plane % count
        some = min(WORD, c - t * WORD)
        words_of_planes(words, plane * size, x, (n * c + t * WORD) * size, size, some, least, t * WORD, size)
        if flip is not None and flip[t]:
            words[plane * size : (plane + 1) * size] ^= flip[t]


@parallel_njit
def _planes_parallel(words, x, least, flip, c, size, pieces, parts):
    for part in numba.prange(parts):
        planes_into(words, x, least, flip, c, size, part * pieces // parts, (part + 1) * pieces // parts)


def running(words):
    """Word t of each row (..., W) is the XOR of words 0 .. t: how a product wants them (popcount.py)."""
    return np.bitwise_xor.accumulate(words, -1)


def not_running(words):
    """The words that `running` was given."""
    before = words.copy()
    before[..., 1:] ^= words[..., :-1]
    return before


def pack_tight(signs):
    """uint8 (ceil(n / 8),), the n bools of an array one after another without gaps, bit 0 of each byte first."""
    return np.packbits(signs.reshape(-1), bitorder="little")


def unpack_tight(bits, shape):
    """The bools of pack_tight, in an array of this shape."""
    return np.unpackbits(bits, count=math.prod(shape), bitorder="little").reshape(shape).astype(bool)


def expand(bits, rows, row_bits, first, length):
    """words (rows, steps) of tight bits: of row r and step t the length[t] <= 64 bits from r row_bits + first[t] on."""
    if row_bits == WORD * len(first) and (length == WORD).all():
        return bits.view(np.uint64).reshape(rows, len(first))
    words = np.empty((rows, len(first)), np.uint64)
    _expand(words, np.append(bits, np.zeros(9, np.uint8)), row_bits, first, length)
    return words


@numba.njit(cache=True, nogil=True)
def _expand(words, bits, row_bits, first, length):
    for r in range(len(words)):
        for t in range(len(first)):
            place = r * row_bits + first[t]
            byte, shift = place // 8, np.uint64(place % 8)
            word = np.uint64(0)
            for i in range(8):
                word |= np.uint64(bits[byte + i]) << np.uint64(8 * i)
            word >>= shift
            if shift:
                word |= np.uint64(bits[byte + 8]) << (np.uint64(WORD) - shift)
            words[r, t] = word & (~np.uint64(0) >> np.uint64(WORD - length[t]))


def unpack_planes(words, c):
    """float32 (N, C, ...) of words (N, C/64, ...): -1 and +1."""
    y = np.empty((len(words), c, *words.shape[2:]), np.float32)
    size = words[:1, :1].size
    args = y.reshape(-1), np.ascontiguousarray(words).reshape(-1), c, size
    run(_unpack_planes, _unpack_parallel, args, len(words) * c, y.size)
    return y


@numba.njit(cache=True, nogil=True)
def _unpack_planes(y, words, c, size, first, last):
    count, one = -(-c // WORD), np.uint64(1)
    for plane in range(first, last):
        n, k = plane // c, plane % c
        at, bit = (n * count + k // WORD) * size, np.uint64(k % WORD)
        for p in range(size):
            y[plane * size + p] = np.float32(1) if (words[at + p] >> bit) & one else np.float32(-1)


@parallel_njit
def _unpack_parallel(y, words, c, size, pieces, parts):
    for part in numba.prange(parts):
        _unpack_planes(y, words, c, size, part * pieces // parts, (part + 1) * pieces // parts)


@numba.njit(cache=True, nogil=True)
def are_signs(x):
    """Whether each number of the flat array x is -1 or +1."""
    for i in range(0, len(x), 256):
        fits = True
        for k in range(i, min(i + 256, len(x))):
            fits &= abs(x[k]) == 1
        if not fits:
            return False
    return True


def _plain_row_words(words, w_at, x, x_at, least, count):
    bits = x[x_at : x_at + WORD * count] >= (0 if least is None else least[: WORD * count])
    words[w_at : w_at + count] = pack_signs(np.where(bits, 1, -1).reshape(count, WORD))[:, 0]


def _plain_plane_words(words, w_at, x, x_at, plane, channels, least, least_at, count):
    numbers = x[x_at + plane * np.arange(channels) + np.arange(count)[:, None]]
    bits = numbers >= (0 if least is None else least[least_at : least_at + channels])
    words[w_at : w_at + count] = pack_signs(np.where(bits, 1, -1))[:, 0]


if numba.config.DISABLE_JIT:
    words64, words_of_planes = _plain_row_words, _plain_plane_words
else:
    words64, words_of_planes = words_llvm.row_words, words_llvm.plane_words
