"""Shift: every channel moves by its own whole number of pixels (Wu 2018, arXiv:1711.08141). No parameters, no
multiplications.

What it computes. out[n, c, h, w] = x[n, c, h + dy[c], w + dx[c]], zero where that lies outside x. Its gradient with
respect to x is the shift by the negated offsets.

How memory is walked. A plane is one run of H*W numbers and so is its shifted copy: everything from the first valid
number to the last is one memcpy, dy*W + dx further on. The |dx| numbers that cross from one row into the next are then
set to zero, as are the |dy| rows outside.

Why it is fast. It is a memory copy, 2 * H*W * itemsize bytes, and little else; arithmetic intensity 0, so the speed of
memory is the bound. Threads take planes.
"""

import numba
import numpy as np

from lightnn.exercise import exercise
from lightnn.kernels.parallel import parallel_njit, run
from lightnn.kernels.vector import simd

SHORT = 256  # numbers below which our own copy beats a call of the C library's


def forward(x, dy, dx):
    """x (N, C, H, W), dy and dx int (C,)."""
    n, c, height, width = x.shape
    out = np.empty(x.shape, x.dtype)
    offsets = np.ascontiguousarray(dy, np.int64), np.ascontiguousarray(dx, np.int64)
    args = (np.ascontiguousarray(x).reshape(-1), out.reshape(-1), *offsets, height, width)
    run(_shift_planes, _shift_parallel, args, n * c, x.size)
    return out


def backward(dout, dy, dx):
    """Gradient with respect to x."""
    return forward(dout, -np.asarray(dy), -np.asarray(dx))


@exercise("12.2")
def assignment(channels, kernel_size=3, dilation=1):
    """(dy, dx), two int64 arrays (channels,): how far each channel moves. K^2 channels in a row take the K x K
    neighbourhood's offsets row by row, x fastest; then the next K^2 begin again. With K = kernel_size:

        p = c mod K^2
        dy_c = dilation (p // K - K // 2)
        dx_c = dilation (p mod K - K // 2)

    The last channels, which are left over when K^2 does not divide their number, do not move: dy = dx = 0. That is
    ShiftNet's own rule.
    """
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(moved, dy, 0), np.where(moved, dx, 0)


@numba.njit(cache=True, nogil=True)
def _shift_planes(x, out, dy, dx, height, width, first, last):
    zeros = np.zeros(height * width, x.dtype)
    c = first % len(dy)
    for at in range(first * height * width, last * height * width, height * width):
        down, right = dy[c], dx[c]
        c = c + 1 if c + 1 < len(dy) else 0  # a division takes as long as copying 100 numbers
        h0, h1 = max(0, -down), min(height, height - down)
        w0, w1 = max(0, -right), min(width, width - right)
        start, stop = h0 * width + w0, (h1 - 1) * width + w1
        if h0 >= h1 or w0 >= w1:
            start, stop, h1 = height * width, height * width, h0
        simd.copy(out, at, zeros, 0, start)
        if stop - start < SHORT:
            simd.copy(out, at + start, x, at + start + down * width + right, stop - start)
        else:
            simd.move(out, at + start, x, at + start + down * width + right, stop - start)
        for w in range(w1 - width, w0):  # what crossed from one row into the next, column by column
            for row in range(h0 + 1, h1):
                out[at + row * width + w] = 0
        simd.copy(out, at + stop, zeros, 0, height * width - stop)


@parallel_njit
def _shift_parallel(x, out, dy, dx, height, width, pieces, parts):
    for part in numba.prange(parts):
        first, last = part * pieces // parts, (part + 1) * pieces // parts
        _shift_planes(x, out, dy, dx, height, width, first, last)
