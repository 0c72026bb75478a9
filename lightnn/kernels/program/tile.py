"""The register tiles of a network in channels last, and their one epilogue.

What they compute, for `rows` pixels r and up to three vectors of lanes v (or one, depthwise):

    dense       sum[r, v] = sum_t  x[x_row[r] + step[t]] * w[t, v]             a number of x for all lanes
    depthwise   sum[r, v] = sum_t  x[x_row[r] + step[t] + lane] * w[t, v]      each lane its own channel
    epilogue    y[y_row[r] + lane] = clamp(sum[r, v] + b[v] + z[z_row[r] + lane], low, high)

where x_row, step, y_row and z_row are tables of places in one memory, and z, the shortcut, may be absent. A long sum
is cut into blocks of steps: all but the last one leave the bare sum in y, and all but the first one start from it.

Why it is fast. As vector/gemm.py, whose tile this is with x and w in each other's place: 24 multiply-adds on 24
accumulators a step. The epilogue costs three instructions a vector while the sums are still in registers. With
NUMBA_DISABLE_JIT=1 the plain versions run.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.gemm import ROWS
from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, fields, index, keep_steps_apart, multiply_add

V = VECTOR_BYTES // 4  # lanes of float32


class At(NamedTuple):
    """Where a tile is. x_row, step, y_row, z_row: places in the table; w, b: in the weights; lane: added to places in y
    and z; x_lane: to those in x; w_step: between two steps of w. z_row: -1 for none."""

    depth: int
    x_row: int
    x_lane: int
    step: int
    w: int
    w_step: int
    y_row: int
    lane: int
    z_row: int
    b: int
    add: int  # whether y holds the sum of earlier steps
    last: int  # whether no steps follow: then the epilogue comes


class Bounds(NamedTuple):
    low: np.float32
    high: np.float32


def _plain_tile(rows, vectors, dense):
    def tile(memory, weights, table, at, bounds):
        lanes, r = np.arange(vectors * V), np.arange(rows)
        steps = table[at.step : at.step + at.depth]
        w = weights[at.w + np.arange(at.depth)[:, None] * at.w_step + lanes]
        places = table[at.x_row + r][:, None] + steps + at.x_lane
        y = table[at.y_row + r][:, None] + at.lane + lanes
        with np.errstate(invalid="ignore"):
            if dense:
                total = memory[places] @ w
            else:
                total = np.einsum("rtv,tv->rv", memory[places[:, :, None] + lanes], w)
            total = total + memory[y] if at.add else total
            if at.last:
                total = total + weights[at.b + lanes]
                if at.z_row >= 0:
                    total = total + memory[table[at.z_row + r][:, None] + at.lane + lanes]
                total = np.where(total < bounds.low, bounds.low, total)
                total = np.where(total > bounds.high, bounds.high, total)
        memory[y] = total

    return tile


def _vector_tile(rows, vectors, dense):
    @intrinsic
    def tile(typing_context, memory, weights, table, at, bounds):
        return types.void(memory, weights, table, at, bounds), lambda *args: _emit(*args, rows, vectors, dense)

    return tile


def _emit(context, builder, signature, args, rows, vectors, dense):
    memory, weights, table = (Flat(context, builder, signature.args[i], args[i]) for i in range(3))
    at = At(*fields(context, builder, signature.args[3], args[3]))
    bounds = Bounds(*fields(context, builder, signature.args[4], args[4]))
    add = builder.add
    left = [memory.at(add(table.load(add(at.x_row, index(r))), at.x_lane)) for r in range(rows)]
    right, steps = weights.at(at.w), table.at(at.step)
    vector = ir.VectorType(memory.scalar, memory.lanes)
    sums = {(r, v): cgutils.alloca_once(builder, vector) for r in range(rows) for v in range(vectors)}

    def places(row_at):
        starts = [add(table.load(add(row_at, index(r))), at.lane) for r in range(rows)]
        return {(r, v): add(starts[r], index(v * memory.lanes)) for r, v in sums}

    for total in sums.values():
        builder.store(ir.Constant(vector, None), total)
    y = places(at.y_row)
    with builder.if_then(builder.icmp_signed("!=", at.add, index(0)), likely=False):
        for key, total in sums.items():
            builder.store(memory.load_vector(y[key]), total)
    fma = multiply_add(builder, vector)
    with cgutils.for_range(builder, at.depth) as loop:
        w = builder.mul(loop.index, at.w_step)
        row_w = [weights.load_vector(add(w, index(v * memory.lanes)), base=right) for v in range(vectors)]
        t = table.load(loop.index, steps)
        for r in range(rows):
            number = memory.splat(memory.load(t, left[r])) if dense else None
            for v in range(vectors):
                x = number if dense else memory.load_vector(add(t, index(v * memory.lanes)), base=left[r])
                builder.store(builder.call(fma, [x, row_w[v], builder.load(sums[r, v])]), sums[r, v])
        keep_steps_apart(builder)
    with builder.if_then(builder.icmp_signed("!=", at.last, index(0)), likely=True):
        _emit_epilogue(builder, memory, weights, at, bounds, sums, places)
    for key, total in sums.items():
        memory.store_vector(builder.load(total), y[key])


def _emit_epilogue(builder, memory, weights, at, bounds, sums, places):
    """A number that is no number stays so."""
    with builder.if_then(builder.icmp_signed(">=", at.z_row, index(0)), likely=False):
        for key, place in places(at.z_row).items():
            builder.store(builder.fadd(builder.load(sums[key]), memory.load_vector(place)), sums[key])
    low, high = memory.splat(bounds.low), memory.splat(bounds.high)
    bias = {v: weights.load_vector(builder.add(at.b, index(v * memory.lanes))) for _, v in sums}
    for (_, v), total in sums.items():
        y = builder.fadd(builder.load(total), bias[v])
        y = builder.select(builder.fcmp_ordered("<", y, low), low, y)
        y = builder.select(builder.fcmp_ordered(">", y, high), high, y)
        builder.store(y, total)


def _plain_largest(memory, to, at, high, row, wide, pixel):
    places = at + np.arange(high)[:, None] * row + np.arange(wide) * pixel
    memory[to : to + V] = memory[places.reshape(-1, 1) + np.arange(V)].max(0)


@intrinsic
def _largest(typing_context, memory, to, at, high, row, wide, pixel):
    def emit(context, builder, signature, args):
        numbers = Flat(context, builder, signature.args[0], args[0])
        _, to, at, high, row, wide, pixel = args
        most = cgutils.alloca_once_value(builder, numbers.load_vector(at))
        with cgutils.for_range(builder, high) as down:
            start = builder.add(at, builder.mul(down.index, row))
            with cgutils.for_range(builder, wide) as right:
                x = numbers.load_vector(builder.add(start, builder.mul(right.index, pixel)))
                y = builder.load(most)
                more = builder.or_(builder.fcmp_ordered(">", x, y), builder.fcmp_unordered("uno", x, x))
                builder.store(builder.select(more, x, y), most)
        numbers.store_vector(builder.load(most), to)

    i = types.int64
    return types.void(memory, i, i, i, i, i, i), emit


# memory[to : to + V] = the largest of `high` rows of `wide` vectors; what is no number counts as the largest
largest = _plain_largest if config.DISABLE_JIT else _largest
_make = _plain_tile if config.DISABLE_JIT else _vector_tile
_wide1, _wide2, _wide3 = (_make(ROWS, vectors, True) for vectors in (1, 2, 3))
_one1, _one2, _one3 = (_make(1, vectors, True) for vectors in (1, 2, 3))
depthwise = _make(ROWS, 1, False)


@njit(cache=True, nogil=True)
def wide(vectors, memory, weights, table, at, bounds):
    """A dense tile of ROWS pixels."""
    if vectors == 3:
        _wide3(memory, weights, table, at, bounds)
    elif vectors == 2:
        _wide2(memory, weights, table, at, bounds)
    else:
        _wide1(memory, weights, table, at, bounds)


@njit(cache=True, nogil=True)
def one(vectors, memory, weights, table, at, bounds):
    """A dense tile of a single pixel."""
    if vectors == 3:
        _one3(memory, weights, table, at, bounds)
    elif vectors == 2:
        _one2(memory, weights, table, at, bounds)
    else:
        _one1(memory, weights, table, at, bounds)
