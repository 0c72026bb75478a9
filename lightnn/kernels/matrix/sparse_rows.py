"""The micro-kernels of a sparse matrix: a few of its rows against a strip of dense numbers, or against one vector.

What it computes, for the rows i that one call takes, with k over the stored elements of row i in the order of their
columns:

    strip    c[i, lane] = sum_k v[k] * b[table[column[k]] + lane]       PAIR rows x (1 to 4 vectors of V numbers)
    gather   y[i]       = sum_k v[k] * x[column[k]]                     QUAD rows x 1 number

v[k] is values[k], or codebook[values[k]] where the values are codes (uint8 or uint16).

How memory is walked. The elements of a row stream. `table` says where in b the numbers lie that an element of a column
meets: column * N in a dense matrix (K, N), channel * plane + tap in a padded image. So one micro-kernel serves the
product of matrices and the convolution ("direct sparse convolution", Park et al. 2017, arXiv 1608.01409, section 3.1).

Why it is fast. In `strip` an element is read once for up to 64 numbers, and the sums of two rows stay in 8 registers,
which hides the multiply-add's latency of 4 cycles; each multiply-add needs one load of b, 2 flops to 4 bytes of cache.
In `gather` one number is used per element, and a row alone would wait for its own last sum: four rows go on together,
one in each lane. Four elements of each are loaded as a vector and turned, so that an element costs the load of its
column, a quarter of a load of its value, and the load of x.

Rounding. Every sum starts at 0 and takes its elements in the order of the column, one fused multiply-add each, however
many rows, lanes or threads: what the dense kernels do with the zeros left in. NaN and infinity in b propagate only
from where an element meets them; a dense product gives NaN for 0 * infinity too.

With NUMBA_DISABLE_JIT=1 the plain versions run.
"""

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, int32, keep_steps_apart, lanes, multiply_add
from lightnn.kernels.vector.turn import turned

PAIR, QUAD = 2, 4  # rows of a strip, of a gather
VECTORS = 4  # widest strip


# ---- plain versions ----


def _plain_numbers(values, codebook, k):
    return codebook[values[k]] if values.dtype.kind == "u" else values[k]


def _plain_strip(vectors):
    def strip(values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride):
        lane = np.arange(vectors * lanes(c.dtype))
        for i in range(row, min(row + PAIR, last)):
            k = slice(pointers[i], pointers[i + 1])
            seen = b[b_at + table[columns[k], None] + lane]
            total = (_plain_numbers(values, codebook, k)[:, None] * seen).sum(0, dtype=c.dtype)
            c[c_at + (i - row) * c_stride + lane] = total

    return strip


def _plain_gather(values, codebook, columns, pointers, row, last, x, y):
    for i in range(row, min(row + QUAD, last)):
        k = slice(pointers[i], pointers[i + 1])
        y[i] = (_plain_numbers(values, codebook, k) * x[columns[k]]).sum(dtype=y.dtype)


# ---- in LLVM vectors ----


class _Rows:
    """`count` neighbouring rows of the sparse matrix: where each starts, how long it is, its elements. Rows from
    `last` on repeat the one before."""

    def __init__(self, context, builder, signature, args, count):
        flat = [Flat(context, builder, signature.args[i], args[i]) for i in range(4)]
        self.builder, (self.values, self.codebook, self.columns, pointers) = builder, flat
        self.count, final = count, builder.sub(args[5], index(1))
        self.ids = [least(builder, builder.add(args[4], index(i)), final) for i in range(count)]
        starts = [wide(builder, pointers.load(i)) for i in self.ids]
        ends = [wide(builder, pointers.load(builder.add(i, index(1)))) for i in self.ids]
        self.sizes = [builder.sub(end, start) for start, end in zip(starts, ends, strict=True)]
        self.common = self.sizes[0]  # elements that every one of the rows has
        for size in self.sizes[1:]:
            self.common = least(builder, self.common, size)
        self.value_at = [self.values.at(start) for start in starts]
        self.column_at = [self.columns.at(start) for start in starts]
        self.coded = isinstance(signature.args[0].dtype, types.Integer)

    def column(self, i, k):
        return wide(self.builder, self.columns.load(k, self.column_at[i]))

    def number(self, i, k):
        value = self.values.load(k, self.value_at[i])
        return self.codebook.load(self.builder.zext(value, ir.IntType(64))) if self.coded else value

    def numbers(self, i, k):
        """As many elements from k on as there are rows, as a vector."""
        if not self.coded:
            return self.values.load_vector(k, self.count, self.value_at[i])
        vector = ir.Constant(ir.VectorType(self.codebook.scalar, self.count), ir.Undefined)
        for j in range(self.count):
            number = self.number(i, self.builder.add(k, index(j)))
            vector = self.builder.insert_element(vector, number, int32(j))
        return vector


def wide(builder, integer):
    """An int32 or int64 as int64."""
    return builder.sext(integer, ir.IntType(64)) if integer.type.width < 64 else integer


def least(builder, a, b):
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def _emit_strip(context, builder, signature, args, vectors):
    """Both rows together as far as both go, then what is left of each."""
    rows = _Rows(context, builder, signature, args, PAIR)
    table, b, c = (Flat(context, builder, signature.args[i], args[i]) for i in (6, 7, 9))
    b_base, vector = b.at(args[8]), ir.VectorType(c.scalar, c.lanes)
    zero, fma = ir.Constant(vector, None), multiply_add(builder, vector)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(vectors)] for _ in range(PAIR)]

    def step(i, k):
        at = wide(builder, table.load(rows.column(i, k)))
        number = b.splat(rows.number(i, k))
        for v, total in enumerate(sums[i]):
            seen = b.load_vector(builder.add(at, index(v * b.lanes)), base=b_base)
            builder.store(builder.call(fma, [number, seen, builder.load(total)]), total)

    for total in (total for row in sums for total in row):
        builder.store(zero, total)
    with cgutils.for_range(builder, rows.common) as loop:
        for i in range(PAIR):
            step(i, loop.index)
        keep_steps_apart(builder)
    for i in range(PAIR):
        with cgutils.for_range_slice(builder, rows.common, rows.sizes[i], index(1)) as (k, _):
            step(i, k)
            keep_steps_apart(builder)
        at = builder.add(args[10], builder.mul(builder.sub(rows.ids[i], args[4]), args[11]))
        for v, total in enumerate(sums[i]):
            c.store_vector(builder.load(total), builder.add(at, index(v * c.lanes)))


def _vector_strip(vectors):
    @intrinsic
    def strip(typing, values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride):
        i = types.int64
        signature = types.void(values, codebook, columns, pointers, i, i, table, b, i, c, i, i)
        return signature, lambda context, builder, sig, args: _emit_strip(context, builder, sig, args, vectors)

    return strip


def _emit_gather(context, builder, signature, args):
    """QUAD elements of QUAD rows at a time as far as all go, then what is left of each row."""
    rows = _Rows(context, builder, signature, args, QUAD)
    x, y = (Flat(context, builder, signature.args[i], args[i]) for i in (6, 7))
    vector = ir.VectorType(x.scalar, QUAD)
    sums = cgutils.alloca_once(builder, vector)
    builder.store(ir.Constant(vector, None), sums)
    whole = builder.and_(rows.common, index(-QUAD))
    fma = multiply_add(builder, vector)
    with cgutils.for_range_slice(builder, index(0), whole, index(QUAD)) as (k, _):
        by_element = turned(builder, [rows.numbers(i, k) for i in range(QUAD)])
        for j, numbers in enumerate(by_element):
            seen = ir.Constant(vector, ir.Undefined)
            for i in range(QUAD):
                at = rows.column(i, builder.add(k, index(j)))
                seen = builder.insert_element(seen, x.load(at), int32(i))
            builder.store(builder.call(fma, [numbers, seen, builder.load(sums)]), sums)
    fma, one = multiply_add(builder, x.scalar), cgutils.alloca_once(builder, x.scalar)
    for i in range(QUAD):
        builder.store(builder.extract_element(builder.load(sums), int32(i)), one)
        with cgutils.for_range_slice(builder, whole, rows.sizes[i], index(1)) as (k, _):
            seen = x.load(rows.column(i, k))
            builder.store(builder.call(fma, [rows.number(i, k), seen, builder.load(one)]), one)
            keep_steps_apart(builder)
        y.store(builder.load(one), rows.ids[i])


@intrinsic
def _vector_gather(typing, values, codebook, columns, pointers, row, last, x, y):
    i = types.int64
    return types.void(values, codebook, columns, pointers, i, i, x, y), _emit_gather


if config.DISABLE_JIT:
    strip1, strip2, strip3, strip4 = map(_plain_strip, (1, 2, 3, 4))
    gather = _plain_gather
else:
    strip1, strip2, strip3, strip4 = map(_vector_strip, (1, 2, 3, 4))
    gather = _vector_gather


@njit(cache=True, nogil=True, inline="always")
def strip(vectors, values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride):
    """c[c_at + i*c_stride + lane], lane < vectors * V, for row + i, i < PAIR, rows below `last` only."""
    if vectors == 4:
        strip4(values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride)
    elif vectors == 3:
        strip3(values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride)
    elif vectors == 2:
        strip2(values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride)
    else:
        strip1(values, codebook, columns, pointers, row, last, table, b, b_at, c, c_at, c_stride)
