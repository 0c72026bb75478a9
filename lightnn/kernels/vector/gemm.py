"""The register-blocked micro-kernel of a matrix product: C[r, :] += sum_t A[r, t] * B[t, :].

What it computes. A tile of C, ROWS x (1, 2 or 3 vectors of LANES numbers), is kept in registers while t runs. Each
step loads one row of the tile's B (up to 3 vectors) and, for each of the ROWS rows of A, one number that is broadcast
over a vector.

How memory is walked. B is a packed panel: row t lies at b + t * width, so it streams. A is never copied: the number of
row r at step t lies at a[a_at + a_row[r] + a_step[t]]. Two small offset tables therefore describe weights, transposed
weights and the windows of an image alike ("indirection", Dukhan 2019, arXiv:1907.02129), and one micro-kernel serves
every convolution and its gradients.

Why it is fast. With AVX-512 float32 the tile is 8 x 48: 24 multiply-add instructions on 24 accumulators per step
against 12 loads (3 of B, 8 of A, 1 offset), so the multiply-add units (2 a cycle), not the load ports (2 a cycle), set
the pace. An accumulator is reused every 12 cycles, beyond the latency of 4. Arithmetic intensity from the first-level
cache is 2*8*48 flops / 4*(8+48) bytes = 3.4 flops a byte; a plain dot product has 0.25 (Goto & van de Geijn 2008,
"Anatomy of High-Performance Matrix Multiplication"; Van Zee & van de Geijn 2015, "BLIS").

The tile is written in LLVM's vector types, which a compiler turns into whatever the host has; LANES and ROWS fit the
host's registers. A sum is rounded in the order of t, whatever the number of threads. NaN and infinity propagate.
"""

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, keep_steps_apart, lanes, multiply_add
from lightnn.kernels.vector.turn import turned


def _rows():
    """Rows of a tile: rows * 3 accumulators + 3 of B + 1 of A must fit the register file, 32 registers or 16."""
    many = _FEATURES.get("avx512f") or _FEATURES.get("neon")
    return 8 if many or llvm.get_process_triple().startswith(("aarch64", "arm64")) else 4


_FEATURES = llvm.get_host_cpu_features()
ROWS = _rows()
VECTORS = 3  # widest tile, in vectors
STEPS = 512  # most steps in a block: its packed panel is 96 KB


def aligned_empty(shape, dtype):
    """np.empty on a cache-line boundary: a vector load that straddles two lines costs two."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.empty(size + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + size].view(dtype).reshape(shape)


def pad_rows(a_row):
    """Offsets of whole tiles of rows: those beyond the last repeat it, and what they give is not stored."""
    return np.append(a_row, np.repeat(a_row[-1], -len(a_row) % ROWS))


# ---- the same three operations in plain Python, for NUMBA_DISABLE_JIT=1 and for reading ----


def _plain_tile(vectors):
    def tile(steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add):
        width = vectors * lanes(c.dtype)
        panel = b[b_at + b_step[step_at : step_at + steps, None] + np.arange(width)]
        for r in range(ROWS):
            out = c[c_at + r * c_stride : c_at + r * c_stride + width]
            row = a[a_at + a_row[row_at + r] + a_step[step_at : step_at + steps]]
            out[:] = (out if add else 0) + (row[:, None] * panel).sum(0, dtype=c.dtype)

    return tile


def _plain_copy(to, to_at, source, source_at):
    n = lanes(to.dtype)
    to[to_at : to_at + n] = source[source_at : source_at + n]


def _plain_transpose(to, to_at, to_stride, source, source_at, source_stride):
    n = lanes(to.dtype)
    for i in range(n):
        for j in range(n):
            to[to_at + j * to_stride + i] = source[source_at + i * source_stride + j]


# ---- and as LLVM vectors ----


def _emit_tile(context, builder, signature, args, vectors):
    """The loop over t. The accumulators are allocas that LLVM turns into registers."""
    steps, _, a_at, _, row_at, _, step_at, _, b_at, _, _, c_at, c_stride, add = args
    a, a_row, a_step, b, b_step, c = (Flat(context, builder, signature.args[i], args[i]) for i in (1, 3, 5, 7, 9, 10))
    a_steps, b_steps, b_base = a_step.at(step_at), b_step.at(step_at), b.at(b_at)
    rows = [a.at(builder.add(a_at, a_row.load(builder.add(row_at, index(r))))) for r in range(ROWS)]
    places = [(r, v) for r in range(ROWS) for v in range(vectors)]
    address = {
        (r, v): builder.add(builder.add(c_at, builder.mul(c_stride, index(r))), index(v * c.lanes)) for r, v in places
    }
    vector = ir.VectorType(c.scalar, c.lanes)
    sums = {place: cgutils.alloca_once(builder, vector) for place in places}
    for place in places:
        builder.store(ir.Constant(vector, None), sums[place])
    with builder.if_then(add):
        for place in places:
            builder.store(c.load_vector(address[place]), sums[place])
    fma = multiply_add(builder, vector)
    with cgutils.for_range(builder, steps) as loop:
        at = b_step.load(loop.index, b_steps)
        row_b = [b.load_vector(builder.add(at, index(v * c.lanes)), base=b_base) for v in range(vectors)]
        step = a_step.load(loop.index, a_steps)
        for r in range(ROWS):
            number = c.splat(a.load(step, rows[r]))
            for v in range(vectors):
                builder.store(builder.call(fma, [number, row_b[v], builder.load(sums[r, v])]), sums[r, v])
        keep_steps_apart(builder)
    for place in places:
        c.store_vector(builder.load(sums[place]), address[place])


def _vector_tile(vectors):
    @intrinsic
    def tile(typing, steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add):
        i = types.int64
        signature = types.void(i, a, i, a_row, i, a_step, i, b, i, b_step, c, i, i, types.boolean)
        return signature, lambda context, builder, sig, args: _emit_tile(context, builder, sig, args, vectors)

    return tile


@intrinsic
def _vector_copy(typing, to, to_at, source, source_at):
    def emit(context, builder, signature, args):
        to, source = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 2))
        to.store_vector(source.load_vector(args[3]), args[1])

    return types.void(to, types.int64, source, types.int64), emit


def _emit_transpose(context, builder, signature, args):
    to, source = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 3))
    rows = [source.load_vector(builder.add(args[4], builder.mul(args[5], index(i)))) for i in range(to.lanes)]
    for j, row in enumerate(turned(builder, rows)):
        to.store_vector(row, builder.add(args[1], builder.mul(args[2], index(j))))


@intrinsic
def _vector_transpose(typing, to, to_at, to_stride, source, source_at, source_stride):
    i = types.int64
    return types.void(to, i, i, source, i, i), _emit_transpose


if numba.config.DISABLE_JIT:
    tile1, tile2, tile3 = _plain_tile(1), _plain_tile(2), _plain_tile(3)
    copy_vector, transpose_block = _plain_copy, _plain_transpose
else:
    tile1, tile2, tile3 = _vector_tile(1), _vector_tile(2), _vector_tile(3)
    copy_vector, transpose_block = _vector_copy, _vector_transpose


@numba.njit(cache=True, nogil=True)
def tile(vectors, steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add):
    """c (ROWS, vectors * LANES) = [c if add] + a (ROWS, steps) @ b (steps, vectors * LANES)."""
    if vectors == 3:
        tile3(steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add)
    elif vectors == 2:
        tile2(steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add)
    else:
        tile1(steps, a, a_at, a_row, row_at, a_step, step_at, b, b_at, b_step, c, c_at, c_stride, add)


@numba.njit(cache=True, nogil=True)
def block_depth(steps):
    """Steps in a block: blocks of about equal depth, at most STEPS."""
    return -(-steps // -(-steps // STEPS))
