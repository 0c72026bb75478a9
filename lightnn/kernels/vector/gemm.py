"""The register-blocked micro-kernel of a matrix product: C[r, :] += sum_t A[r, t] * B[t, :].

What it computes. A tile of C, ROWS x (1, 2 or 3 vectors of V numbers), stays in registers while t runs. Each step loads
one row of the tile's B (up to 3 vectors) and, for each of the ROWS rows of A, one number, which is broadcast over a
vector.

How memory is walked. B is usually a packed panel: row t is `step[t]` numbers from its start, so it streams. A is never
copied: the number of row r at step t is numbers[row[r] + step[t]]. Two small offset tables therefore describe weights,
transposed weights and the windows of an image alike ("indirection", Dukhan 2019, arXiv:1907.02129), and one
micro-kernel serves every convolution and its gradients.

Why it is fast. With AVX-512 float32 the tile is 8 x 48: 24 multiply-add instructions on 24 accumulators per step
against 12 loads (3 of B, 8 of A, 1 offset), so the multiply-add units (2 a cycle), not the load ports (2 a cycle), set
the pace. An accumulator is reused every 12 cycles, beyond the latency of 4. Arithmetic intensity from the first-level
cache is 2*8*48 flops / 4*(8+48) bytes = 3.4 flops a byte; a plain dot product has 0.25 (Goto & van de Geijn 2008,
"Anatomy of High-Performance Matrix Multiplication"; Van Zee & van de Geijn 2015, "BLIS").

This file says what a tile is, in NumPy (`_plain_tile`, which runs with NUMBA_DISABLE_JIT=1); gemm_llvm.py says it in
LLVM's vector types, which a compiler turns into whatever the host has. V and ROWS fit the host's registers. A sum is
rounded in the order of t, whatever the number of threads. NaN and infinity propagate.
"""

import functools
from typing import NamedTuple

import llvmlite.binding as llvm
import numba
import numpy as np

from lightnn.kernels.vector.gemm_llvm import vector_tile
from lightnn.kernels.vector.simd import lanes


def _rows():
    """Rows of a tile: rows * 3 accumulators + 3 of B + 1 of A must fit the register file, 32 registers or 16."""
    features = llvm.get_host_cpu_features()
    many = features.get("avx512f") or features.get("neon")
    return 8 if many or llvm.get_process_triple().startswith(("aarch64", "arm64")) else 4


ROWS = _rows()
VECTORS = 3  # widest tile, in vectors
STEPS = 512  # most steps in a block: its packed panel is 96 KB


class Left(NamedTuple):
    """A (rows, steps): its number (r, t) is numbers[row[r] + step[t]]."""

    numbers: np.ndarray
    row: np.ndarray
    step: np.ndarray


class Right(NamedTuple):
    """B (steps, width): its row t is numbers[step[t] : step[t] + width]."""

    numbers: np.ndarray
    step: np.ndarray


class At(NamedTuple):
    """Where a tile starts."""

    a: int  # added to every place in the numbers of A
    row: int  # the first row, in the table `row`
    step: int  # the first step, in both tables `step`
    b: int  # added to every place in the numbers of B
    c: int  # of the tile's first number in C


def _plain_tile(vectors, part=1):
    def tile(depth, left, right, at, c, c_stride, add):
        width, t = vectors * lanes(c.dtype) // part, slice(at.step, at.step + depth)
        a = left.numbers[at.a + left.row[at.row : at.row + ROWS, None] + left.step[t]]
        b = right.numbers[at.b + right.step[t, None] + np.arange(width)]
        with np.errstate(invalid="ignore"):  # inf 0 is NaN, as in the compiled tile
            y = a @ b
        for r in range(ROWS):
            out = c[at.c + r * c_stride : at.c + r * c_stride + width]
            out[:] = (out if add else 0) + y[r]

    return tile


tile1, tile2, tile3, half_tile = (
    _plain_tile(*size) if numba.config.DISABLE_JIT else vector_tile(ROWS, *size) for size in ((1,), (2,), (3,), (1, 2))
)


@numba.njit(cache=True, nogil=True)
def tile(vectors, depth, left, right, at, c, c_stride, add):
    """c (ROWS, vectors * V) = [c if add] + a (ROWS, depth) @ b (depth, vectors * V), rows of c c_stride apart."""
    if vectors == 3:
        tile3(depth, left, right, at, c, c_stride, add)
    elif vectors == 2:
        tile2(depth, left, right, at, c, c_stride, add)
    else:
        tile1(depth, left, right, at, c, c_stride, add)


@numba.njit(cache=True, nogil=True)
def block_depth(steps):
    """Steps in a block: blocks of about equal depth, at most STEPS."""
    return -(-steps // -(-steps // STEPS))


@functools.lru_cache
def rows_apart(count, distance):
    """The offsets of `count` rows, for whole tiles: beyond the last row they repeat it, and what those give is not
    stored."""
    return np.minimum(np.arange(-(-count // ROWS) * ROWS), count - 1) * distance


def aligned_empty(shape, dtype):
    """np.empty on a cache-line boundary: a vector load that straddles two lines costs two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)
