"""Requantization in LLVM's vector types: the same bytes as requantize.py's definitions, in 19 instructions for 16 sums.

What it computes, on flat arrays (requantize.py says what the letters are):

    row        y[at + i] = clamp(zero + 2^-n m0 / 2^31 (sums[first + i] + b), low, high)    one channel
    channels   the same with b[o + i], m0[o + i], n[o + i]                                  a run of channels

for n >= LEAST, that is M < 1/4, and sums + b within int32, which requantize.output sees to.

How memory is walked. Forward, 16 sums at a time; the last group ends at the last sum and overlaps the one before.

Why it is fast. Numba's integers are 64 bits wide, so a loop that it compiles is too, and it leaves up to 31 numbers at
the end of a row for a scalar loop. Here only the products are: those of the even lanes and those of the odd ones, two
multiplications whose halves are put together again. Rounding by 2^n, a half away from 0, and adding the zero point are

    t = x + (x >> 31)                           a negative number one less: its half goes away from 0
    (x / 2^n) + zero = ((t >> n - 1) + 1 + 2 zero) >> 1

which cannot overflow: |x| < 2^31 - 1 as m0 < 2^31, and t >> n - 1 is below 2^30.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, in_groups, int32, int32s

LEAST = 2  # the smallest n


def _splat(builder, value, width):
    vector = ir.VectorType(ir.IntType(32), width)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, int32(0))
    return builder.shuffle_vector(one, one, int32s([0] * width))


def _same(kind, value):
    return ir.Constant(kind, [value] * kind.count)


def _high_mul(builder, a, b):
    """(a b + 2^30) >> 31 of vectors of int32: even and odd lanes apart, as 64-bit numbers."""
    width = a.type.count
    if width == 1:
        wide = ir.VectorType(ir.IntType(64), 1)
        product = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
        return builder.trunc(builder.ashr(builder.add(product, _same(wide, 2**30)), _same(wide, 31)), a.type)
    wide = ir.VectorType(ir.IntType(64), width // 2)
    half = _same(wide, 32)
    a, b = builder.bitcast(a, wide), builder.bitcast(b, wide)
    even = builder.mul(*(builder.ashr(builder.shl(v, half), half) for v in (a, b)))
    odd = builder.mul(builder.ashr(a, half), builder.ashr(b, half))
    even = builder.lshr(builder.add(even, _same(wide, 2**30)), _same(wide, 31))
    odd = builder.shl(builder.add(odd, _same(wide, 2**30)), _same(wide, 1))
    narrow = ir.VectorType(ir.IntType(32), width)
    order = int32s([i + width * (i % 2) for i in range(width)])
    return builder.shuffle_vector(builder.bitcast(even, narrow), builder.bitcast(odd, narrow), order)


def _emit_group(builder, sums, channel, bounds):
    """The bytes of a vector of sums; channel: vectors (b, m0, n), bounds: numbers (zero, low, high)."""
    (b, m0, n), kind = channel, sums.type
    zero, low, high = (_splat(builder, bound, kind.count) for bound in bounds)
    one = _same(kind, 1)
    x = _high_mul(builder, builder.add(sums, b), m0)
    t = builder.add(x, builder.ashr(x, _same(kind, 31)))
    value = builder.add(builder.ashr(t, builder.sub(n, one)), builder.add(builder.add(zero, zero), one))
    value = builder.ashr(value, one)
    value = builder.select(builder.icmp_signed(">", value, low), value, low)
    value = builder.select(builder.icmp_signed("<", value, high), value, high)
    return builder.trunc(value, ir.VectorType(ir.IntType(8), kind.count))


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
