"""Max pooling of signs: a maximum is +1 where one of them is, so it is OR on words.

What it computes, for words (N, C/64, H, W) and padding (top, bottom, left, right) that never is a maximum:

    y[n, :, i, j] = OR of the words in the window (i, j), then XOR flip

A threshold of a maximum is the OR of thresholds, max_k s_k >= T where one s_k >= T. So a network may take thresholds
first and pool bits, 1/32 of the bytes (runtime/binary/thresholds.py).
"""

import numba
import numpy as np

from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.parallel import parallel_njit, run


def max_pool2d(words, kernel, stride, padding, flip=None):
    """words (N, C/64, Ho, Wo); flip: uint64 (C/64,)."""
    n, deep, height, width = words.shape
    ho = out_size(height, kernel[0], stride[0], *padding[:2], 1)
    wo = out_size(width, kernel[1], stride[1], *padding[2:], 1)
    y = np.empty((n, deep, ho, wo), np.uint64)
    flip = np.zeros(deep, np.uint64) if flip is None else flip
    args = y.reshape(-1, ho, wo), np.ascontiguousarray(words).reshape(-1, height, width), flip
    run(_pool, _pool_parallel, (*args, kernel, stride, (padding[0], padding[2])), n * deep, y.size)
    return y


@numba.njit(cache=True, nogil=True)
def _pool(y, x, flip, kernel, stride, corner, first, last):
    (kh, kw), (sh, sw), (top, left) = kernel, stride, corner
    height, width = x.shape[1:]
    for plane in range(first, last):
        for i in range(y.shape[1]):
            rows = max(0, i * sh - top), min(height, i * sh - top + kh)
            for j in range(y.shape[2]):
                word = np.uint64(0)
                for h in range(rows[0], rows[1]):
                    for w in range(max(0, j * sw - left), min(width, j * sw - left + kw)):
                        word |= x[plane, h, w]
                y[plane, i, j] = word ^ flip[plane % len(flip)]


@parallel_njit
def _pool_parallel(y, x, flip, kernel, stride, corner, pieces, parts):
    for part in numba.prange(parts):
        _pool(y, x, flip, kernel, stride, corner, part * pieces // parts, (part + 1) * pieces // parts)
