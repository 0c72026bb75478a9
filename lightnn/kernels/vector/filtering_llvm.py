"""The transforms of filtering.py in LLVM's vector types: the same sums, a lane for each tile or filter.

Read filtering.py first: its plain versions say what these instructions compute. Each one-dimensional transform takes a
list of vectors and gives a list of vectors; two of them in turn make the two-dimensional one.
"""

from typing import NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector import turn
from lightnn.kernels.vector.simd import Flat, index, int32s, multiply_add, splat

I64 = types.int64


class Sums(NamedTuple):
    """Arithmetic on vectors of one type, for the points 0, a, -a, b, -b and infinity."""

    builder: ir.IRBuilder
    kind: ir.VectorType
    a: float
    b: float

    def number(self, value):
        return splat(self.builder, ir.Constant(self.kind.element, value), self.kind.count)

    def fma(self, factor, x, y):
        """factor * x + y, with a constant factor."""
        return self.builder.call(multiply_add(self.builder, self.kind), [self.number(factor), x, y])

    def times(self, factor, x):
        return self.builder.fmul(self.number(factor), x)

    def tile(self, d):
        """B^T d: six numbers of a tile at the six points."""
        a, b = self.a, self.b
        both, ab = a * a + b * b, (a * b) ** 2
        values = [self.fma(ab, d[0], self.fma(-both, d[2], d[4]))]
        for p, q in ((a, b), (b, a)):
            even, odd = self.fma(-q * q, d[2], d[4]), self.fma(-q * q, d[1], d[3])
            values += [self.fma(p, odd, even), self.fma(-p, odd, even)]
        return [*values, self.fma(ab, d[1], self.fma(-both, d[3], d[5]))]

    def filter(self, g):
        """G g: three taps at the six points."""
        a, b = self.a, self.b
        values = [self.times(1 / (a * b) ** 2, g[0])]
        for p, q in ((a, b), (b, a)):
            n = 2 * p * p * (p * p - q * q)
            even = self.fma(p * p / n, g[2], self.times(1 / n, g[0]))
            values += [self.fma(p / n, g[1], even), self.fma(-p / n, g[1], even)]
        return [*values, g[2]]

    def back(self, m):
        """A^T m: the products at the six points to four outputs."""
        a, b, add, less = self.a, self.b, self.builder.fadd, self.builder.fsub
        sum_a, sum_b, gap_a, gap_b = add(m[1], m[2]), add(m[3], m[4]), less(m[1], m[2]), less(m[3], m[4])
        return [
            add(m[0], add(sum_a, sum_b)),
            self.fma(a, gap_a, self.times(b, gap_b)),
            self.fma(a * a, sum_a, self.times(b * b, sum_b)),
            self.fma(a**3, gap_a, self.fma(b**3, gap_b, m[5])),
        ]


def _columns(origin, starts):
    """Eight vectors: of V rows of eight numbers, the first numbers, the second, ..., a row in each lane."""
    builder, n = origin.builder, origin.lanes
    if n < 8:
        pieces = [[origin.load_vector(builder.add(start, index(k)), n) for start in starts] for k in range(0, 8, n)]
        return [column for piece in pieces for column in turn.registers(builder, piece)]
    rows = [origin.load_vector(start, 8) for start in starts]
    side = n // 8  # rows that fit in a vector
    while len(rows) > 8:
        width = 2 * rows[0].type.count
        rows = [builder.shuffle_vector(*pair, int32s(range(width))) for pair in zip(rows[::2], rows[1::2], strict=True)]
    return turn.weave(builder, rows, (8 * side).bit_length() - 1)


def transforms(a, b):
    """down, across, across_half, filters, back for the points 0, +-a, +-b, infinity: intrinsics, put in the place of
    the call."""

    def sums(builder, flat):
        return Sums(builder, ir.VectorType(flat.scalar, flat.lanes), a, b)

    return _down(sums), _across(sums, 1), _across(sums, 2), _filters(sums), _back(sums)


def _down(sums):
    @intrinsic
    def down(typing, to, to_at, pitch, x, x_at, x_row, first, last, count):
        def emit(context, builder, signature, args):
            target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3))
            _, to_at, pitch, _, x_at, x_row, first, last, count = args
            s = sums(builder, target)
            safe = builder.add(x_at, builder.mul(x_row, first))
            starts, inside = [], []
            for r in map(index, range(6)):
                there = builder.and_(builder.icmp_signed(">=", r, first), builder.icmp_signed("<", r, last))
                starts.append(builder.select(there, builder.add(x_at, builder.mul(x_row, r)), safe))
                inside.append(there)
            zero = ir.Constant(s.kind, None)
            with cgutils.for_range_slice(builder, index(0), count, index(origin.lanes)) as (q, _):
                rows = [origin.load_vector(builder.add(start, q)) for start in starts]
                rows = [builder.select(there, row, zero) for there, row in zip(inside, rows, strict=True)]
                for r, row in enumerate(s.tile(rows)):
                    target.store_vector(row, builder.add(builder.add(to_at, q), builder.mul(pitch, index(r))))

        return types.void(to, I64, I64, x, I64, I64, I64, I64, I64), emit

    return down


def _across(sums, part):
    @intrinsic
    def across(typing, to, to_at, apart, source, place, place_at, pitch):
        def emit(context, builder, signature, args):
            target, origin, table = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3, 4))
            target.lanes = origin.lanes = target.lanes // part
            _, to_at, apart, _, _, place_at, pitch = args
            s = sums(builder, target)
            starts = [table.load(builder.add(place_at, index(lane))) for lane in range(target.lanes)]
            with cgutils.for_range(builder, index(6)) as loop:
                row = builder.mul(loop.index, pitch)
                columns = _columns(origin, [builder.add(start, row) for start in starts])
                at = builder.add(to_at, builder.mul(builder.mul(loop.index, index(6)), apart))
                for q, vector in enumerate(s.tile(columns)):
                    target.store_vector(vector, builder.add(at, builder.mul(apart, index(q))))

        return types.void(to, I64, I64, source, place, I64, I64), emit

    return across


def _filters(sums):
    @intrinsic
    def filters(typing, to, to_at, apart, w, place, place_at, turned):
        def emit(context, builder, signature, args):
            target, origin, table = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3, 4))
            _, to_at, apart, _, _, place_at, turned = args
            s = sums(builder, target)
            starts = [table.load(builder.add(place_at, index(lane))) for lane in range(target.lanes)]
            g = _columns(origin, starts)
            g.append(_columns(origin, [builder.add(start, index(1)) for start in starts])[7])
            g = [builder.select(turned, g[8 - t], g[t]) for t in range(9)]
            rows = [s.filter(g[3 * k : 3 * k + 3]) for k in range(3)]
            for q in range(6):
                for r, vector in enumerate(s.filter([row[q] for row in rows])):
                    target.store_vector(vector, builder.add(to_at, builder.mul(apart, index(6 * r + q))))

        return types.void(to, I64, I64, w, place, I64, types.boolean), emit

    return filters


def _back(sums):
    @intrinsic
    def back(typing, to, to_at, pitch, products, at, apart, bias):
        def emit(context, builder, signature, args):
            target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3))
            _, to_at, pitch, _, at, apart, bias = args
            s, bias, rows = sums(builder, target), target.splat(bias), []
            for r in range(6):
                spots = [builder.add(at, builder.mul(apart, index(6 * r + q))) for q in range(6)]
                rows.append(s.back([origin.load_vector(spot) for spot in spots]))
            columns = [s.back([row[j] for row in rows]) for j in range(4)]
            for k in range(4):
                row = [builder.fadd(column[k], bias) for column in columns]
                start = builder.add(to_at, builder.mul(pitch, index(k)))
                for v, vector in enumerate(turn.weave(builder, row, 2)):
                    target.store_vector(vector, builder.add(start, index(v * target.lanes)))

        return types.void(to, I64, I64, products, I64, I64, products.dtype), emit

    return back
