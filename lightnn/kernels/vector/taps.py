"""The arithmetic of a depthwise convolution: sums of shifted copies of a flat array, and their dot products.

What it computes, for n consecutive positions q and the taps t of one filter (a `Filter`), with one number a tap or,
`by_lane`, one vector a tap (V channels side by side, each with its own weight):

    add_taps   out[q] = start + sum_t w[t] * x[q + offset[t]]       the filter's output
    dot_taps   total[t] += sum_q x[q + offset[t]] * dy[q]           GROUP taps of its weight gradient

How memory is walked. All arrays stream forward; the taps read the same few lines of x again and again, from the
first-level cache.

Why it is fast. `add_taps` keeps BLOCK vectors of outputs in registers while the taps go by, so an output is stored
once, not once a tap, and the number of taps may be a run-time value: the cost of reading offset[t] and w[t] is spread
over BLOCK * V outputs. `dot_taps` keeps a vector of partial sums for each of GROUP taps and loads dy once for all of
them. Both do one multiply-add a load, 2 flops to 4 bytes of first-level cache, so the load ports set the pace (a
64-byte load across two cache lines a cycle, two within one), not memory.

A sum is rounded in a fixed order, whatever the number of threads. With NUMBA_DISABLE_JIT=1 the plain versions run.
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, index, int32, int32s, multiply_add

BLOCK = 4  # vectors of outputs that add_taps holds in registers
GROUP = 9  # taps whose partial sums dot_taps holds in registers
SLACK = BLOCK * VECTOR_BYTES // 4  # numbers that may be read or written beyond the end of n


class Filter(NamedTuple):
    """Many filters with the same taps: the weights w[filter's start + t], and how far from q tap t reads."""

    w: np.ndarray
    offset: np.ndarray


# ---- plain versions ----


def _plain_add_taps(out, count, x, filters, w_at, first, last, start):
    out[:count] = start
    for t in range(first, last):
        at = filters.offset[t]
        out[:count] += filters.w[w_at + t] * x[at : at + count]


def _plain_dot_taps(total, total_at, dy, count, x, offset, tap_at):
    for t in range(GROUP):
        at = offset[tap_at + t]
        total[total_at + t] += (x[at : at + count] * dy[:count]).sum()


def _plain_add_taps_by_lane(out, count, x, filters, first, last, start):
    rows = out[:count].reshape(-1, len(start))
    rows[:] = start
    for t in range(first, last):
        weight, at = filters.w[t * len(start) : (t + 1) * len(start)], filters.offset[t]
        rows += x[at : at + count].reshape(rows.shape) * weight


def _plain_dot_taps_by_lane(total, total_at, dy, count, x, offset, tap_at):
    lanes = VECTOR_BYTES // x.itemsize
    for t in range(GROUP):
        at = offset[tap_at + t]
        products = (x[at : at + count] * dy[:count]).reshape(-1, lanes)
        total[(total_at + t) * lanes : (total_at + t + 1) * lanes] += products.sum(0)


# ---- in LLVM vectors ----


def _tap_adder(block, by_lane):
    """One block of outputs: the accumulators are allocas that LLVM turns into registers."""

    @intrinsic
    def add_block(typing_context, out, q, x, offset, w, w_at, tap_at, taps, start):
        signature = types.void(out, types.int64, x, offset, w, types.int64, types.int64, types.int64, start)

        def emit(context, builder, signature, args):
            y, xs, at, ws = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2, 3, 4))
            _, q, _, _, _, w_at, tap_at, taps, start = args
            bias = Flat(context, builder, signature.args[8], start).load_vector(index(0)) if by_lane else y.splat(start)
            sums = [cgutils.alloca_once_value(builder, bias) for _ in range(block)]
            fma = multiply_add(builder, bias.type)
            with cgutils.for_range(builder, taps) as loop:
                tap = builder.add(loop.index, tap_at)
                w_place = builder.add(builder.mul(tap, index(ws.lanes if by_lane else 1)), w_at)
                weight = ws.load_vector(w_place) if by_lane else ws.splat(ws.load(w_place))
                source = builder.add(at.load(tap), q)
                for v, total in enumerate(sums):
                    value = xs.load_vector(builder.add(source, index(v * xs.lanes)))
                    builder.store(builder.call(fma, [weight, value, builder.load(total)]), total)
            for v, total in enumerate(sums):
                y.store_vector(builder.load(total), builder.add(q, index(v * y.lanes)))

        return signature, emit

    return add_block


_add_block, _add_vector, _add_block_by_lane = _tap_adder(BLOCK, False), _tap_adder(1, False), _tap_adder(BLOCK, True)


@njit(cache=True, nogil=True)
def _add_taps(out, count, x, filters, w_at, first, last, start):
    """The taps first .. last-1 of the filter whose weights start at w_at."""
    w, offset = filters
    lanes = VECTOR_BYTES // out.itemsize
    q = 0
    while q + (BLOCK - 1) * lanes < count:
        _add_block(out, q, x, offset, w, w_at, first, last - first, start)
        q += BLOCK * lanes
    while q < count:
        _add_vector(out, q, x, offset, w, w_at, first, last - first, start)
        q += lanes


@njit(cache=True, nogil=True)
def _add_taps_by_lane(out, count, x, filters, first, last, start):
    w, offset = filters
    for q in range(0, count, BLOCK * VECTOR_BYTES // out.itemsize):
        _add_block_by_lane(out, q, x, offset, w, 0, first, last - first, start)


def _tap_dotter(by_lane):
    @intrinsic
    def dot_taps(typing_context, total, total_at, dy, count, x, offset, tap_at):
        signature = types.void(total, types.int64, dy, types.int64, x, offset, types.int64)

        def emit(context, builder, signature, args):
            totals, dys, xs, at = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2, 4, 5))
            _, total_at, _, count, _, _, tap_at = args
            zero = ir.Constant(ir.VectorType(xs.scalar, xs.lanes), None)
            sums = [cgutils.alloca_once_value(builder, zero) for _ in range(GROUP)]
            starts = [at.load(builder.add(tap_at, index(t))) for t in range(GROUP)]
            fma = multiply_add(builder, zero.type)
            with cgutils.for_range_slice(builder, index(0), count, index(xs.lanes)) as (i, _):
                value = dys.load_vector(i)
                for start, partial in zip(starts, sums, strict=True):
                    source = xs.load_vector(builder.add(start, i))
                    builder.store(builder.call(fma, [value, source, builder.load(partial)]), partial)
            for t, partial in enumerate(sums):
                add = _add_to_lanes if by_lane else _add_to_number
                add(builder, totals, builder.add(total_at, index(t)), builder.load(partial))

        return signature, emit

    return dot_taps


def _add_to_lanes(builder, totals, place, vector):
    """totals are float64: the sums over planes keep what float32 would lose."""
    place = builder.mul(place, index(vector.type.count))
    wide = ir.VectorType(totals.scalar, vector.type.count)
    value = vector if vector.type.element == totals.scalar else builder.fpext(vector, wide)
    totals.store_vector(builder.fadd(totals.load_vector(place, wide.count), value), place)


def _add_to_number(builder, totals, place, vector):
    value = sum_lanes(builder, vector)
    value = value if value.type == totals.scalar else builder.fpext(value, totals.scalar)
    totals.store(builder.fadd(totals.load(place), value), place)


def sum_lanes(builder, vector):
    """Add the upper half of the lanes to the lower half until one is left."""
    width = vector.type.count
    while width > 1:
        width //= 2
        lower = builder.shuffle_vector(vector, vector, int32s(range(width)))
        vector = builder.fadd(lower, builder.shuffle_vector(vector, vector, int32s(range(width, 2 * width))))
    return builder.extract_element(vector, int32(0))


if config.DISABLE_JIT:
    add_taps, add_taps_by_lane = _plain_add_taps, _plain_add_taps_by_lane
    dot_taps, dot_taps_by_lane = _plain_dot_taps, _plain_dot_taps_by_lane
else:
    add_taps, add_taps_by_lane = _add_taps, _add_taps_by_lane
    dot_taps, dot_taps_by_lane = _tap_dotter(False), _tap_dotter(True)
