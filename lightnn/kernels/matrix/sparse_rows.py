"""The micro-kernels of a sparse matrix: a few of its rows against a strip of dense numbers, or against one vector.

What it computes, for the rows i that one call takes, with e over the stored elements of row i in the order of their
columns:

    strip    c[i, lane] = sum_e v[e] * b[tap[column[e]] + lane]         PAIR rows x (1 to 4 vectors of V numbers)
    gather   y[i]       = sum_e v[e] * x[column[e]]                     QUAD rows x 1 number

v[e] is values[e], or codebook[values[e]] where the values are codes (uint8 or uint16).

How memory is walked. The elements of a row stream. `tap` says where in b the numbers are that an element of a column
is multiplied by: column * N in a dense matrix (K, N), channel * plane + tap in a padded image. So one micro-kernel
serves the product of matrices and the convolution ("direct sparse convolution", Park et al. 2017, arXiv 1608.01409,
section 3.1).

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

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector import turn
from lightnn.kernels.vector.simd import Flat, fields, index, int32, keep_steps_apart, lanes, multiply_add

PAIR, QUAD = 2, 4  # rows of a strip, of a gather
VECTORS = 4  # widest strip


class Spot(NamedTuple):
    """Where a strip lies: its first row, the end of the rows, and the places of its first numbers in b and c."""

    row: int
    last: int
    b: int
    c: int
    c_stride: int  # from one row of c to the next


# ---- plain versions ----


def _plain_numbers(w, e):
    return w.codebook[w.values[e]] if w.values.dtype.kind == "u" else w.values[e]


def _plain_strip(vectors):
    def strip(w, tap, b, c, spot):
        lane = np.arange(vectors * lanes(c.dtype))
        for i in range(spot.row, min(spot.row + PAIR, spot.last)):
            e = slice(w.pointers[i], w.pointers[i + 1])
            seen = b[spot.b + tap[w.columns[e], None] + lane]
            total = (_plain_numbers(w, e)[:, None] * seen).sum(0, dtype=c.dtype)
            c[spot.c + (i - spot.row) * spot.c_stride + lane] = total

    return strip


def _plain_gather(w, row, last, x, y):
    for i in range(row, min(row + QUAD, last)):
        e = slice(w.pointers[i], w.pointers[i + 1])
        y[i] = (_plain_numbers(w, e) * x[w.columns[e]]).sum(dtype=y.dtype)


# ---- in LLVM vectors ----


class _Rows:
    """`count` neighbouring rows of the sparse matrix: where each starts, how long it is, its elements. Rows from
    `last` on repeat the one before."""

    def __init__(self, builder, matrix, first, last, count):
        self.builder, (self.values, self.codebook, self.columns, pointers) = builder, matrix
        self.count, final = count, builder.sub(last, index(1))
        self.ids = [least(builder, builder.add(first, index(i)), final) for i in range(count)]
        starts = [wide(builder, pointers.load(i)) for i in self.ids]
        ends = [wide(builder, pointers.load(builder.add(i, index(1)))) for i in self.ids]
        self.sizes = [builder.sub(end, start) for start, end in zip(starts, ends, strict=True)]
        self.common = self.sizes[0]  # elements that every one of the rows has
        for size in self.sizes[1:]:
            self.common = least(builder, self.common, size)
        self.value_at = [self.values.at(start) for start in starts]
        self.column_at = [self.columns.at(start) for start in starts]
        self.coded = isinstance(self.values.scalar, ir.IntType)

    def column(self, i, e):
        return wide(self.builder, self.columns.load(e, self.column_at[i]))

    def number(self, i, e):
        value = self.values.load(e, self.value_at[i])
        return self.codebook.load(self.builder.zext(value, ir.IntType(64))) if self.coded else value

    def numbers(self, i, e):
        """As many elements from e on as there are rows, as a vector."""
        if not self.coded:
            return self.values.load_vector(e, self.count, self.value_at[i])
        vector = ir.Constant(ir.VectorType(self.codebook.scalar, self.count), ir.Undefined)
        for j in range(self.count):
            number = self.number(i, self.builder.add(e, index(j)))
            vector = self.builder.insert_element(vector, number, int32(j))
        return vector


def wide(builder, integer):
    """An int32 or int64 as int64."""
    return builder.sext(integer, ir.IntType(64)) if integer.type.width < 64 else integer


def least(builder, a, b):
    return builder.select(builder.icmp_signed("<", a, b), a, b)


def _emit_strip(context, builder, signature, args, vectors):
    """Both rows together as far as both go, then what is left of each."""
    row, last, b_at, c_at, c_stride = fields(context, builder, signature.args[4], args[4])
    rows = _Rows(builder, fields(context, builder, signature.args[0], args[0]), row, last, PAIR)
    tap, b, c = (Flat(context, builder, signature.args[i], args[i]) for i in (1, 2, 3))
    b_base, vector = b.at(b_at), ir.VectorType(c.scalar, c.lanes)
    zero, fma = ir.Constant(vector, None), multiply_add(builder, vector)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(vectors)] for _ in range(PAIR)]

    def step(i, e):
        at = wide(builder, tap.load(rows.column(i, e)))
        number = b.splat(rows.number(i, e))
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
        with cgutils.for_range_slice(builder, rows.common, rows.sizes[i], index(1)) as (e, _):
            step(i, e)
            keep_steps_apart(builder)
        at = builder.add(c_at, builder.mul(builder.sub(rows.ids[i], row), c_stride))
        for v, total in enumerate(sums[i]):
            c.store_vector(builder.load(total), builder.add(at, index(v * c.lanes)))


def _vector_strip(vectors):
    @intrinsic
    def strip(typing, w, tap, b, c, spot):
        return types.void(w, tap, b, c, spot), lambda *args: _emit_strip(*args, vectors)

    return strip


def _emit_gather(context, builder, signature, args):
    """QUAD elements of QUAD rows at a time as far as all go, then what is left of each row."""
    rows = _Rows(builder, fields(context, builder, signature.args[0], args[0]), args[1], args[2], QUAD)
    x, y = (Flat(context, builder, signature.args[i], args[i]) for i in (3, 4))
    vector = ir.VectorType(x.scalar, QUAD)
    sums = cgutils.alloca_once(builder, vector)
    builder.store(ir.Constant(vector, None), sums)
    whole = builder.and_(rows.common, index(-QUAD))
    fma = multiply_add(builder, vector)
    with cgutils.for_range_slice(builder, index(0), whole, index(QUAD)) as (e, _):
        by_element = turn.registers(builder, [rows.numbers(i, e) for i in range(QUAD)])
        for j, numbers in enumerate(by_element):
            seen = ir.Constant(vector, ir.Undefined)
            for i in range(QUAD):
                at = rows.column(i, builder.add(e, index(j)))
                seen = builder.insert_element(seen, x.load(at), int32(i))
            builder.store(builder.call(fma, [numbers, seen, builder.load(sums)]), sums)
    fma, one = multiply_add(builder, x.scalar), cgutils.alloca_once(builder, x.scalar)
    for i in range(QUAD):
        builder.store(builder.extract_element(builder.load(sums), int32(i)), one)
        with cgutils.for_range_slice(builder, whole, rows.sizes[i], index(1)) as (e, _):
            seen = x.load(rows.column(i, e))
            builder.store(builder.call(fma, [rows.number(i, e), seen, builder.load(one)]), one)
            keep_steps_apart(builder)
        y.store(builder.load(one), rows.ids[i])


@intrinsic
def _vector_gather(typing, w, row, last, x, y):
    return types.void(w, types.int64, types.int64, x, y), _emit_gather


if config.DISABLE_JIT:
    strip1, strip2, strip3, strip4 = map(_plain_strip, (1, 2, 3, 4))
    gather = _plain_gather
else:
    strip1, strip2, strip3, strip4 = map(_vector_strip, (1, 2, 3, 4))
    gather = _vector_gather


@njit(cache=True, nogil=True, inline="always")
def strip(vectors, w, tap, b, c, spot):
    """The `vectors` * V numbers of c, for each of PAIR rows of the Rows w from spot.row on, below spot.last only."""
    if vectors == 4:
        strip4(w, tap, b, c, spot)
    elif vectors == 3:
        strip3(w, tap, b, c, spot)
    elif vectors == 2:
        strip2(w, tap, b, c, spot)
    else:
        strip1(w, tap, b, c, spot)
