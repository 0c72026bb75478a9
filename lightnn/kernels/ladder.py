"""One convolution in seven steps, from the definition to the machine. Read this file first.

What each step computes, for x (N, C, H, W), w (O, C, KH, KW), one stride s and one padding p, in float32 or float64:

    y[n, o, i, j] = sum_{c,k,l} w[o, c, k, l] * x[n, c, i*s + k - p, j*s + l - p]        0 outside x

All steps do the same N*O*HO*WO * C*KH*KW multiply-adds (the definition is lightnn/functional/plain.py, and the tests
hold every step to it). What changes from step to step is how often a number is fetched, from where, and how many are
multiplied by one instruction. Chapter 12 measures the steps. The real kernel, with groups, dilation, threads and both
gradients, is conv/dense.py: the last step with more cases.
"""

import functools

import numba
import numpy as np

from lightnn.kernels.conv.planes import out_size
from lightnn.kernels.vector.gemm import ROWS, VECTORS, At, Left, Right, rows_apart, tile
from lightnn.kernels.vector.simd import lanes

WIDTH = 64  # pixels in a panel of step 6


def out_shape(x, w, s, p):
    """(N, O, HO, WO)."""
    ho, wo = (out_size(size, kernel, s, p, p) for size, kernel in zip(x.shape[2:], w.shape[2:], strict=True))
    return len(x), len(w), ho, wo


def padded(x, p):
    """x with p rows and columns of zeros on every side."""
    n, c, height, width = x.shape
    wide = np.zeros((n, c, height + 2 * p, width + 2 * p), x.dtype)
    wide[:, :, p : p + height, p : p + width] = x
    return wide


@functools.lru_cache
def offsets(padded_shape, kernel_shape, ho, wo, s):
    """In the padded image as one run of numbers: where each output pixel's window starts (N*HO*WO,), and how far from
    there each tap reads (C*KH*KW,)."""
    images, channels, height, width = padded_shape
    n, i, j = np.indices((images, ho, wo))
    c, k, l = np.indices(kernel_shape)
    pixel = (n * channels * height + i * s) * width + j * s
    tap = (c * height + k) * width + l
    return pixel.reshape(-1), tap.reshape(-1)


def python_loops(x, w, s, p):
    """Step 1. The definition as it stands: one product after the other, each found by Python."""
    y = np.zeros(out_shape(x, w, s, p), x.dtype)
    height, width = x.shape[2:]
    for n, o, i, j in np.ndindex(*y.shape):
        for c, k, l in np.ndindex(*w.shape[1:]):
            row, column = i * s + k - p, j * s + l - p
            if 0 <= row < height and 0 <= column < width:
                y[n, o, i, j] += w[o, c, k, l] * x[n, c, row, column]
    return y


def vectorised_taps(x, w, s, p):
    """Step 2. Python runs once a tap instead of once a product: NumPy multiplies one tap of all filters with the whole
    image."""
    y = np.zeros(out_shape(x, w, s, p), x.dtype)
    x, (ho, wo) = padded(x, p), y.shape[2:]
    for c, k, l in np.ndindex(*w.shape[1:]):
        seen = x[:, c, k : k + s * ho : s, l : l + s * wo : s]
        y += w[:, c, k, l, None, None] * seen[:, None]
    return y


def im2col_product(x, w, s, p):
    """Step 3. y is written once instead of once a tap: all windows become the columns of a matrix, and one matrix
    product of the BLAS does the rest."""
    shape = out_shape(x, w, s, p)
    seen = np.lib.stride_tricks.sliding_window_view(padded(x, p), w.shape[2:], axis=(2, 3))[:, :, ::s, ::s]
    columns = seen.transpose(0, 1, 4, 5, 2, 3).reshape(len(x), w[0].size, -1)
    return (w.reshape(len(w), -1) @ columns).reshape(shape)


def numba_loops(x, w, s, p):
    """Step 4. No matrix of windows, which takes KH*KW times the memory of the image: step 1's loops, compiled."""
    y = np.empty(out_shape(x, w, s, p), x.dtype)
    _numba_loops(y, x, w, s, p)
    return y


@numba.njit(cache=True, nogil=True)
def _numba_loops(y, x, w, s, p):
    for n in range(len(y)):
        for o in range(len(w)):
            for i in range(y.shape[2]):
                for j in range(y.shape[3]):
                    total = y.dtype.type(0)
                    for c in range(x.shape[1]):
                        for k in range(max(0, p - i * s), min(w.shape[2], x.shape[2] + p - i * s)):
                            for l in range(max(0, p - j * s), min(w.shape[3], x.shape[3] + p - j * s)):
                                total += w[o, c, k, l] * x[n, c, i * s + k - p, j * s + l - p]
                    y[n, o, i, j] = total


def padded_offsets(x, w, s, p):
    """Step 5. No border, and one index: in the padded image a tap is one number to add to a pixel's place, so a row of
    outputs is one loop, which the compiler turns into vector instructions."""
    y = np.zeros(out_shape(x, w, s, p), x.dtype)
    x = padded(x, p)
    pixel, tap = offsets(x.shape, w.shape[1:], *y.shape[2:], s)
    _padded_offsets(y, x.reshape(-1), w.reshape(len(w), -1), pixel[:: y.shape[3]], tap, s)
    return y


@numba.njit(cache=True, nogil=True)
def _padded_offsets(y, x, w, row, tap, s):
    images, filters, ho, wo = y.shape
    for n in range(images):
        for o in range(filters):
            for t in range(len(tap)):
                weight = w[o, t]
                for i in range(ho):
                    out, seen = y[n, o, i], x[row[n * ho + i] + tap[t] :]
                    for j in range(wo):
                        out[j] += weight * (seen[j] if s == 1 else seen[j * s])


def packed_panels(x, w, s, p):
    """Step 6. A number is looked up in the image once, not once a filter: the windows of WIDTH pixels are packed side
    by side into a panel that stays in the cache while all filters use it."""
    n, o, ho, wo = out_shape(x, w, s, p)
    x, y = padded(x, p), np.empty((o, n * ho * wo), x.dtype)
    _packed_panels(y, x.reshape(-1), w.reshape(o, -1), *offsets(x.shape, w.shape[1:], ho, wo, s))
    return np.ascontiguousarray(y.reshape(o, n, ho, wo).swapaxes(0, 1))


@numba.njit(cache=True, nogil=True)
def _packed_panels(y, x, w, pixel, tap):
    panel, sums = np.zeros((len(tap), WIDTH), x.dtype), np.empty(WIDTH, x.dtype)
    for first in range(0, len(pixel), WIDTH):
        count = min(WIDTH, len(pixel) - first)
        _pack(panel, x, pixel[first : first + count], tap)
        for o in range(len(w)):
            sums[:] = 0
            for t in range(len(tap)):
                weight, seen = w[o, t], panel[t]
                for lane in range(WIDTH):
                    sums[lane] += weight * seen[lane]
            for lane in range(count):
                y[o, first + lane] = sums[lane]


@numba.njit(cache=True, nogil=True)
def _pack(panel, x, pixel, tap):
    for t in range(len(tap)):
        for lane in range(len(pixel)):
            panel[t, lane] = x[pixel[lane] + tap[t]]


def register_tile(x, w, s, p):
    """Step 7. A number of the panel is loaded once for ROWS filters and a sum is stored once, not once a tap: the
    micro-kernel keeps ROWS x 3 vectors of sums in registers."""
    n, o, ho, wo = out_shape(x, w, s, p)
    x, steps, width = padded(x, p), np.arange(w[0].size), VECTORS * lanes(x.dtype)
    left = Left(w.reshape(-1), rows_apart(o, len(steps)), steps)
    y = np.empty((len(left.row), -(-n * ho * wo // width) * width), x.dtype)  # whole tiles: some rows are for nothing
    panel = np.zeros((len(steps), width), x.dtype)
    _register_tile(y, x.reshape(-1), left, panel, *offsets(x.shape, w.shape[1:], ho, wo, s))
    return np.ascontiguousarray(y[:o, : n * ho * wo].reshape(o, n, ho, wo).swapaxes(0, 1))


@numba.njit(cache=True, nogil=True)
def _register_tile(y, x, left, panel, pixel, tap):
    width = panel.shape[1]
    right = Right(panel.reshape(-1), left.step * width)
    for first in range(0, len(pixel), width):
        _pack(panel, x, pixel[first : first + width], tap)
        for row in range(0, len(left.row), ROWS):
            at = At(0, row, 0, 0, row * y.shape[1] + first)
            tile(VECTORS, len(tap), left, right, at, y.reshape(-1), y.shape[1], False)


LADDER = (
    python_loops,
    vectorised_taps,
    im2col_product,
    numba_loops,
    padded_offsets,
    packed_panels,
    register_tile,
)
