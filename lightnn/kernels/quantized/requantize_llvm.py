"""Requantization in LLVM's vector types: the same bytes as requantize.py's loops, without their 64-bit remainders.

What it computes, on flat arrays (requantize.py says what the letters are):

    row        y[at + i] = clamp(zero + 2^-n m0 / 2^31 (sums[first + i] + b), low, high)    one channel: b, m0, n are numbers
    channels   the same with b[o + i], m0[o + i], n[o + i]                                  a run of channels

for n >= 0, and sums + b within int32, which requantize.output sees to.

How memory is walked. Forward, 16 sums at a time; the last group ends at the last sum and overlaps the one before.

Why it is fast. Numba's integers are 64 bits wide, so a loop that it compiles is too, and it leaves up to 31 numbers at
the end of a row for a scalar loop. Only the product needs 64 bits; the rest is 32, and a tile's row is 48 sums. About
20 instructions for 16 numbers, against 24 * T / 8 of the micro-kernel for the same row.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, in_groups, int32, int32s


def _splat(builder, value, width):
    vector = ir.VectorType(ir.IntType(32), width)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, int32(0))
    return builder.shuffle_vector(one, one, int32s([0] * width))


def _emit_group(builder, sums, channel, bounds):
    """The bytes of a vector of sums; channel: vectors (b, m0, n), bounds: numbers (zero, low, high)."""
    (b, m0, n), width = channel, sums.type.count
    zero, low, high = (_splat(builder, bound, width) for bound in bounds)
    wide, byte = ir.VectorType(ir.IntType(64), width), ir.VectorType(ir.IntType(8), width)

    def constant(value, kind=sums.type):
        return ir.Constant(kind, [value] * width)

    product = builder.mul(builder.sext(builder.add(sums, b), wide), builder.sext(m0, wide))
    product = builder.lshr(builder.add(product, constant(2**30, wide)), constant(31, wide))
    moved = builder.trunc(product, sums.type)  # high_mul
    mask = builder.sub(builder.shl(constant(1), n), constant(1))
    threshold = builder.sub(builder.lshr(mask, constant(1)), builder.ashr(moved, constant(31)))
    up = builder.icmp_signed(">", builder.and_(moved, mask), threshold)
    moved = builder.sub(builder.ashr(moved, n), builder.sext(up, sums.type))  # divide_by_power
    value = builder.add(moved, zero)
    value = builder.select(builder.icmp_signed(">", value, low), value, low)
    return builder.trunc(builder.select(builder.icmp_signed("<", value, high), value, high), byte)


def _emit(context, builder, signature, args, channel_of):
    y, sums = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
    bounds = [builder.trunc(bound, ir.IntType(32)) for bound in args[-3:]]

    def emit(i, width, last):
        group = sums.load_vector(builder.add(args[3], i), width)
        y.store_vector(_emit_group(builder, group, channel_of(i, width), bounds), builder.add(args[1], i))

    in_groups(builder, args[4], emit)


@intrinsic
def row(typing_context, y, at, sums, first, count, b, m0, n, zero, low, high):
    def codegen(context, builder, signature, args):
        one = [builder.trunc(value, ir.IntType(32)) for value in args[5:8]]
        _emit(context, builder, signature, args, lambda _, width: [_splat(builder, v, width) for v in one])

    i = types.int64
    return types.void(y, i, sums, i, i, i, i, i, i, i, i), codegen


@intrinsic
def channels(typing_context, y, at, sums, first, count, b, m0, n, o, zero, low, high):
    def codegen(context, builder, signature, args):
        many = [Flat(context, builder, signature.args[k], args[k]) for k in (5, 6, 7)]
        place = args[8]
        _emit(
            context,
            builder,
            signature,
            args,
            lambda i, width: [flat.load_vector(builder.add(place, i), width) for flat in many],
        )

    i = types.int64
    return types.void(y, i, sums, i, i, b, m0, n, i, i, i, i), codegen
