"""Requantization in LLVM's vector types: the same bytes as requantize.py's definitions, in 12 instructions for 16 sums.

What it computes, in vectors (requantize.py says what the letters are), for n >= LEAST, that is M < 1/4:

    emit_scaled   u = t >> n - 1,   h = high_mul(x, m0),   t = h + (h >> 31)
    emit_bytes    clamp((u + 1 + 2 zero) >> 1, low, high), which is clamp(zero + 2^-n m0 / 2^31 x, low, high)

A negative number becomes one less in t, so its half goes away from 0. Nothing overflows: |h| < 2^31 - 1 as m0 < 2^31.

Why it is fast. Only products are 64 bits wide, those of the even lanes and those of the odd ones. They are of numbers
without a sign, x' = x + 2^31 and 2 m0, so high_mul is in the upper half of

    2 m0 x' + (2^31 - 2^32 m0)  =  2 m0 x + 2^31

without a shift, and the sums start at b + 2^31 at no cost. The second rounding is done on 16 bits, two vectors in one:
x86 packs with saturation, and u beyond 16 bits is beyond every byte. Clamping is done on bytes, four vectors in one.

    block   y[at + r*o + i] = clamp(zero + 2^-n m0 / 2^31 (sums[r*width + i] + b), low, high)

for rows r and i < count, with b, m0, n of channel c + i, is for sums that are in memory.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, in_groups, int32s, splat

LEAST = 2  # the smallest n
PACKS = {  # {bytes of a vector: what x86 calls the packing of int32 to int16, and of that to uint8}
    16: ("llvm.x86.sse2.packssdw.128", "llvm.x86.sse2.packuswb.128"),
    32: ("llvm.x86.avx2.packssdw", "llvm.x86.avx2.packuswb"),
    64: ("llvm.x86.avx512.packssdw.512", "llvm.x86.avx512.packuswb.512"),
}


def same(kind, value):
    """A vector of one constant."""
    return ir.Constant(kind, [value] * kind.count)


def emit_start(builder, b):
    """What sums start at: b + 2^31."""
    return builder.xor(b, same(b.type, -(2**31)))


def emit_own(builder, m0, n):
    """What `emit_scaled` wants of 16 channels, or as many as m0 and n hold."""
    m = builder.shl(m0, same(m0.type, 1))
    added = [_nudge(builder, half) for half in _halves(builder, builder.neg(m0))]
    return list(zip(_halves(builder, m), added, strict=True)), builder.sub(n, same(n.type, 1))


def _halves(builder, a):
    """The even lanes and the odd ones of int32, as 64-bit numbers from 0 to 2^32 - 1."""
    wide = ir.VectorType(ir.IntType(64), max(a.type.count // 2, 1))
    if a.type.count == 1:
        return [builder.zext(a, wide)]
    a = builder.bitcast(a, wide)
    return [builder.and_(a, same(wide, 2**32 - 1)), builder.lshr(a, same(wide, 32))]


def _nudge(builder, high):
    """2^31 + 2^32 `high`, of 64-bit numbers."""
    return builder.or_(builder.shl(high, same(high.type, 32)), same(high.type, 2**31))


def emit_scaled(builder, x, own):
    """A vector of u of one of x' = x + 2^31; own: emit_own(...) of its channels."""
    halves, less = own
    both = zip(_halves(builder, x), halves, strict=True)
    h = [builder.add(builder.mul(half, m), added) for half, (m, added) in both]
    h = _upper(builder, h, x.type)
    t = builder.add(h, builder.ashr(h, same(h.type, 31)))
    return builder.ashr(t, less)


def _upper(builder, products, kind):
    """The upper halves of 64-bit numbers, back in their order."""
    if kind.count == 1:
        return builder.trunc(builder.lshr(products[0], same(products[0].type, 32)), kind)
    order = int32s([i + 1 - i % 2 + kind.count * (i % 2) for i in range(kind.count)])
    return builder.shuffle_vector(*(builder.bitcast(part, kind) for part in products), order)


class Bounds:
    """zero, low and high, 64-bit numbers of which a byte counts, as vectors of any kind."""

    def __init__(self, builder, zero, low, high):
        self.builder, self.zero, self.low, self.high = builder, zero, low, high

    def of(self, value, kind):
        return splat(self.builder, self.builder.trunc(value, kind.element), kind.count)

    def rounded(self, u):
        """u + 1 + 2 zero, halved; saturates."""
        name, kind = f"llvm.sadd.sat.v{u.type.count}i{u.type.element.width}", ir.FunctionType(u.type, [u.type] * 2)
        add = cgutils.get_or_insert_function(self.builder.module, kind, name)
        zero = self.of(self.zero, u.type)
        one = same(u.type, 1)
        return self.builder.ashr(self.builder.call(add, [u, self.builder.add(self.builder.add(zero, zero), one)]), one)

    def clamped(self, y, sign):
        compare = self.builder.icmp_signed if sign else self.builder.icmp_unsigned
        for bound, less in (self.low, "<"), (self.high, ">"):
            bound = self.of(bound, y.type)
            y = self.builder.select(compare(less, y, bound), bound, y)
        return y


def emit_bytes(builder, four, bounds, packs):
    """The bytes of four vectors of u, one vector; packs: whether to pack as x86 does, within 128 bits: then part j of
    16 bytes is made of part j of each. `emit_in_order` puts them one after the other."""
    if not packs:
        narrow = ir.VectorType(ir.IntType(8), four[0].type.count)
        parts = [builder.trunc(bounds.clamped(bounds.rounded(u), True), narrow) for u in four]
        return _concatenated(builder, parts)
    size = 4 * four[0].type.count
    words, octets = (ir.VectorType(ir.IntType(bits), 8 * size // bits) for bits in (16, 8))
    names = zip(PACKS[size], (words, octets), (four[0].type, words), strict=True)
    to_words, to_bytes = (
        cgutils.get_or_insert_function(builder.module, ir.FunctionType(to, [of, of]), name) for name, to, of in names
    )
    pairs = [bounds.rounded(builder.call(to_words, four[i : i + 2])) for i in (0, 2)]
    return bounds.clamped(builder.call(to_bytes, pairs), False)


def _concatenated(builder, parts):
    while len(parts) > 1:
        order = int32s(range(2 * parts[0].type.count))
        parts = [builder.shuffle_vector(a, b, order) for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def emit_in_order(builder, y, packs):
    """The bytes of the first vector, then those of the second ..."""
    parts = y.type.count // 16
    if not packs or parts == 1:
        return y
    kind = ir.VectorType(ir.IntType(32), 4 * parts)
    dwords, order = builder.bitcast(y, kind), int32s([4 * j + i for i in range(4) for j in range(parts)])
    return builder.bitcast(builder.shuffle_vector(dwords, dwords, order), y.type)


@intrinsic
def block(typing_context, y, at, o, sums, width, rows, count, b, m0, n, c, zero, low, high):
    def codegen(context, builder, signature, args):
        y, sums, *many = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3, 7, 8, 9))
        _, at, o, _, width, rows, count, _, _, _, c, *bounds = args
        bounds = Bounds(builder, *bounds)

        def emit(i, lanes, last):
            b, m0, n = (flat.load_vector(builder.add(c, i), lanes) for flat in many)
            start, own, narrow = emit_start(builder, b), emit_own(builder, m0, n), ir.VectorType(ir.IntType(8), lanes)
            with cgutils.for_range(builder, rows) as loop:
                x = builder.add(sums.load_vector(builder.add(builder.mul(loop.index, width), i), lanes), start)
                value = bounds.clamped(bounds.rounded(emit_scaled(builder, x, own)), True)
                place = builder.add(builder.add(at, builder.mul(loop.index, o)), i)
                y.store_vector(builder.trunc(value, narrow), place)

        in_groups(builder, count, emit)

    i = types.int64
    return types.void(y, i, i, sums, i, i, i, b, m0, n, i, i, i, i), codegen
