"""Into bytes with channels last, and back to float32 with planes: the two ends of a network of integers.

What it computes, with a scale S and a zero point Z (Jacob et al. 2018, arXiv:1712.05877, equation 1):

    quantize     q (N, H, W, C) = clip(round(x / S) + Z, 0, 255)    of x (N, C, H, W) float32; a half to even
    dequantize   x (N, C, H, W) = S (q - Z)                         of q (N, H, W, C) uint8 or int32

both in float32. A matrix (N, C) stays one.

How memory is walked. A row of each plane is quantized in vectors, and the rows of all channels are woven afterwards, in
the first-level cache.

Why it is fast. x passes through memory once. Arithmetic intensity 3 operations to 5 bytes. Threads take rows.
"""

import numba
import numpy as np

from lightnn.kernels.parallel import parallel_njit, run


def quantize(x, scale, zero):
    """q uint8, (N, H, W, C) of x (N, C, H, W), or (N, C) of (N, C)."""
    planes = np.ascontiguousarray(x, np.float32).reshape(*x.shape, *(1,) * (4 - x.ndim))
    n, c, height, width = planes.shape
    q = np.empty((n, height, width, c), np.uint8)
    run(_quantize, _quantize_parallel, (planes, q, np.float32(scale), np.float32(zero)), n * height, 4 * q.size)
    return q.reshape(n, c) if x.ndim == 2 else q


def dequantize(q, scale, zero):
    """x float32, (N, C, H, W) of q (N, H, W, C), or (N, C) of (N, C)."""
    pixels = np.ascontiguousarray(q).reshape(len(q), *((1, 1, q.shape[1]) if q.ndim == 2 else q.shape[1:]))
    n, height, width, c = pixels.shape
    x = np.empty((n, c, height, width), np.float32)
    run(_dequantize, _dequantize_parallel, (pixels, x, np.float32(scale), np.int32(zero)), n * height, 4 * x.size)
    return x.reshape(n, c) if q.ndim == 2 else x


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _quantize(x, q, scale, zero, first, last):
    _, c, height, width = x.shape
    rows, low, high = np.empty((c, width), np.uint8), np.float32(0), np.float32(255)
    for row in range(first, last):
        n, h = row // height, row % height
        for k in range(c):
            for w in range(width):
                rows[k, w] = np.uint8(np.int32(min(max(np.rint(x[n, k, h, w] / scale) + zero, low), high)))
        for w in range(width):
            for k in range(c):
                q[n, h, w, k] = rows[k, w]


@numba.njit(cache=True, nogil=True)
def _dequantize(q, x, scale, zero, first, last):
    _, height, width, c = q.shape
    for row in range(first, last):
        n, h = row // height, row % height
        for k in range(c):
            for w in range(width):
                x[n, k, h, w] = scale * np.float32(np.int32(q[n, h, w, k]) - zero)


@parallel_njit
def _quantize_parallel(x, q, scale, zero, pieces, parts):
    for part in numba.prange(parts):
        _quantize(x, q, scale, zero, part * pieces // parts, (part + 1) * pieces // parts)


@parallel_njit
def _dequantize_parallel(q, x, scale, zero, pieces, parts):
    for part in numba.prange(parts):
        _dequantize(q, x, scale, zero, part * pieces // parts, (part + 1) * pieces // parts)
