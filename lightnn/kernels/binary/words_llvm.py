"""Numbers to bits in LLVM's vector types: 64 of a row at once, or the channels of 16 pixels, one after another.

What it computes, on flat arrays, with `least` of x's type, or None for 0:

    row_words     bit k of words[w_at + t] = x[x_at + 64 t + k] >= least[64 t + k]                        t < count
    plane_words   bit c of words[w_at + p] = x[x_at + c*plane + p] >= least[least_at + c]    c < channels, p < count

NaN is not >= anything: its bit is 0.

How memory is walked. `row_words` goes along a row. `plane_words` takes up to 16 pixels and goes through the channels:
their bits gather in a register, and each word is written once.

Why it is fast. AVX-512 compares 16 numbers in one instruction whose result is 16 bits; a row's are stored as they are.
For planes one more instruction sets the channel's bit in the lanes where the comparison holds. It costs the bandwidth
of x: arithmetic intensity 1 comparison to 4 bytes.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, in_groups, index, int32, splat


def _at_least(builder, kind, x, least):
    """A vector of bits, x >= least, for numbers of the Numba type `kind`."""
    if isinstance(kind, types.Float):
        return builder.fcmp_ordered(">=", x, least)
    return (builder.icmp_signed if kind.signed else builder.icmp_unsigned)(">=", x, least)


def _bounds(context, builder, kind, value, x):
    """load(place, width): a vector of bounds, and each(place, width): one of them in all lanes."""
    if isinstance(kind, types.NoneType):
        zeros = lambda place, width: ir.Constant(ir.VectorType(x.scalar, width), [0] * width)  # noqa: E731
        return zeros, zeros
    flat = Flat(context, builder, kind, value)
    return flat.load_vector, lambda place, width: splat(builder, flat.load(place), width)


@intrinsic
def row_words(typing, words, w_at, x, x_at, least, count):
    def codegen(context, builder, signature, args):
        to, numbers = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        bounds, _ = _bounds(context, builder, least, args[4], numbers)
        with cgutils.for_range(builder, args[5]) as loop:
            k = builder.mul(loop.index, index(64))
            pair = numbers.load_vector(builder.add(args[3], k), 64), bounds(k, 64)
            word = builder.bitcast(_at_least(builder, x.dtype, *pair), ir.IntType(64))
            to.store(word, builder.add(args[1], loop.index))

    i = types.int64
    return types.void(words, i, x, i, least, i), codegen


@intrinsic
def plane_words(typing, words, w_at, x, x_at, plane, channels, least, least_at, count):
    def codegen(context, builder, signature, args):
        to, numbers = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        _, bounds = _bounds(context, builder, least, args[6], numbers)
        _, w_at, _, x_at, plane, channels, _, least_at, count = args

        def half(p, width, first):
            """Channels first .. first + 31 as 32-bit numbers, a pixel each."""
            bits, bit = ir.VectorType(ir.IntType(32), width), ir.IntType(32)
            gathered = cgutils.alloca_once_value(builder, ir.Constant(bits, None))
            one = cgutils.alloca_once_value(builder, ir.Constant(bit, 1))
            left = builder.sub(channels, index(first))
            some = builder.select(builder.icmp_signed("<", left, index(32)), left, index(32))
            with cgutils.for_range(builder, some) as loop:
                c = builder.add(loop.index, index(first))
                place = builder.add(builder.add(x_at, builder.mul(c, plane)), p)
                bound = bounds(builder.add(least_at, c), width)
                holds = _at_least(builder, x.dtype, numbers.load_vector(place, width), bound)
                old, now = builder.load(gathered), builder.load(one)
                builder.store(builder.select(holds, builder.or_(old, splat(builder, now, width)), old), gathered)
                builder.store(builder.shl(now, int32(1)), one)
            return builder.zext(builder.load(gathered), ir.VectorType(ir.IntType(64), width))

        def emit(p, width, last):
            low, high = half(p, width, 0), half(p, width, 32)
            word = builder.or_(low, builder.shl(high, ir.Constant(high.type, [32] * width)))
            to.store_vector(word, builder.add(w_at, p))

        in_groups(builder, count, emit)

    i = types.int64
    return types.void(words, i, x, i, i, i, least, i, i), codegen
