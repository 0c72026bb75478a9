"""Rows of activations times a panel of weights, to bytes or to 32-bit sums, in LLVM's vector types.

What it computes, for `count` rows from the row `first` of the table, and the channels c of a panel from `channel` on:

    s[r, c] = b[c] + sum_t  left.bytes[row[first + r] + step[t] : + 4] . quads[at + (t*width + c)]

    panel   y[y_at + r*o + c] = s[r, c]                            if y is int32
            y[y_at + r*o + c] = s[r, c], requantized               if y is uint8 (requantize_llvm.py)

How memory is walked. A tile of `rows_of` rows at a time: its sums, `vectors` registers a row, stay in registers while t
runs, and start from b. Rows beyond the last are the last one again, in the table and in y, so a part of a tile is no
special case; one or two rows alone have a tile of one row. What belongs to the channels is prepared once for all rows.

Why it is fast. A quad of A is loaded once for `vectors` multiplications, a vector of B once for all rows. Sums become
bytes where they are: the tile's vectors are taken four by four, whichever rows they belong to, become one vector of
bytes, and are stored in runs that are side by side. The lines of y are asked for before the sums are made.
"""

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.quantized.quads import known, load_quad, numbers_of
from lightnn.kernels.quantized.requantize import scaled
from lightnn.kernels.quantized.requantize_llvm import (
    Bounds,
    emit_bytes,
    emit_in_order,
    emit_own,
    emit_scaled,
    emit_start,
)
from lightnn.kernels.vector.simd import Flat, fields, index, int32s, keep_steps_apart, splat


@njit(cache=True, nogil=True)
def rows_of(most, rows, vectors):
    """Rows of a tile that is `vectors` wide, where one that is `most` wide has `rows`: as many sums, 8 rows at most."""
    return max(rows, min(8, rows * most // vectors))


def _plain(vectors, rows=None):
    def panel(path, left, quads, at, y, y_at, o, first, count, out, channel):
        width, step, depth = vectors * path.lanes, path.vectors * path.lanes, len(left.step)
        w = numbers_of(quads[at + step * np.arange(depth)[:, None] + np.arange(width)])
        b, m0, n = (part[channel : channel + width].astype(np.int64) for part in out[:3])
        for r in range(count):
            x = left.bytes[left.row[first + r] + left.step[:, None] + np.arange(4)].astype(np.int64)
            s = np.einsum("tk,twk->w", x, w) + b
            s = s if y.dtype == np.int32 else np.clip(out.zero + scaled(s, m0, n), out.low, out.high)
            y[y_at + r * o : y_at + r * o + width] = s

    return panel


def _in_vectors(vectors, rows=None):
    """The panel, `vectors` wide, by tiles of `rows` rows (those of the path), as an intrinsic."""

    @intrinsic
    def panel(typing, path, left, quads, at, y, y_at, o, first, count, out, channel):
        i = types.int64
        signature = types.void(path, left, quads, i, y, i, i, i, i, out, i)
        return signature, lambda *args: _Panel(*args, rows, vectors).emit()

    return panel


class _Panel:
    """What is emitted for one panel."""

    def __init__(self, context, builder, signature, args, rows, vectors):
        kinds = signature.args
        _, self.lanes, _, most, self.instruction = known(kinds[0])
        self.builder, self.vectors, self.stride = builder, vectors, most * self.lanes
        self.rows = rows or rows_of.py_func(most, known(kinds[0])[2], vectors)
        self.a, self.row, self.step = fields(context, builder, kinds[1], args[1])
        self.depth = context.make_array(kinds[1][2])(context, builder, builder.extract_value(args[1], 2)).nitems
        self.b, self.y = (Flat(context, builder, kinds[k], args[k]) for k in (2, 4))
        self.panel, self.out = self.b.at(args[3]), fields(context, builder, kinds[9], args[9])
        self.y_at, self.o, self.first, self.count, self.channel = *args[5:9], args[10]
        self.vector, self.bytes = ir.VectorType(ir.IntType(32), self.lanes), self.y.size == 1

    def emit(self):
        places = [self.builder.add(self.channel, index(v * self.lanes)) for v in range(self.vectors)]
        b, m0, n = ([part.load_vector(place, self.lanes) for place in places] for part in self.out[:3])
        if self.bytes:
            b = [emit_start(self.builder, each) for each in b]
            own = [emit_own(self.builder, *each) for each in zip(m0, n, strict=True)]
            bounds = Bounds(self.builder, *self.out[3:6])
        with cgutils.for_range_slice(self.builder, index(0), self.count, index(self.rows)) as (r, _):
            rows = self.rows_of_y(r)
            self.fetch(rows)
            sums = self.sums(r, b)
            if self.bytes:
                self.store_bytes(sums, rows, own, bounds)
            else:
                self.store_runs([(r, v, total) for (r, v), total in sums.items()], rows)

    def sums(self, r, start):
        """{(row, vector): sums} of the rows from r on."""
        builder, first = self.builder, self.builder.add(self.first, r)
        starts = [self.a.at(self.row.load(builder.add(first, index(i)))) for i in range(self.rows)]
        sums = {}
        for i in range(self.rows):
            for v in range(self.vectors):
                sums[i, v] = cgutils.alloca_once(builder, self.vector)
                builder.store(start[v], sums[i, v])
        with cgutils.for_range(builder, self.depth) as loop:
            t, step = builder.mul(loop.index, index(self.stride)), self.step.load(loop.index)
            w = [self.b.load_vector(builder.add(t, index(v * self.lanes)), self.lanes, self.panel)
                 for v in range(self.vectors)]  # fmt: skip
            w = [self.instruction.split(builder, quads, True) for quads in w]
            for i in range(self.rows):
                quad = splat(builder, load_quad(builder, starts[i], step), self.lanes)
                quad = self.instruction.split(builder, quad, False)
                for v in range(self.vectors):
                    total = self.instruction.add(builder, builder.load(sums[i, v]), quad, w[v])
                    builder.store(total, sums[i, v])
            keep_steps_apart(builder)
        return {place: builder.load(total) for place, total in sums.items()}

    def rows_of_y(self, r):
        """Where the rows from r on start in y; the last one again for those beyond it."""
        builder, last = self.builder, self.builder.sub(self.count, index(1))
        rows = [builder.add(r, index(i)) for i in range(self.rows)]
        rows = [builder.select(builder.icmp_signed("<", row, last), row, last) for row in rows]
        return [builder.add(self.y_at, builder.mul(row, self.o)) for row in rows]

    def fetch(self, rows):
        """Ask for the lines of y that will be written, while the sums are still being made."""
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [pointer] + [number] * 3)
        prefetch = cgutils.get_or_insert_function(self.builder.module, kind, "llvm.prefetch.p0i8")
        for row in rows:
            for at in range(0, self.vectors * self.lanes * self.y.size, 64):
                place = self.builder.bitcast(self.y.at(self.builder.add(row, index(at // self.y.size))), pointer)
                self.builder.call(prefetch, [place, *(ir.Constant(number, k) for k in (1, 3, 1))])

    def store_bytes(self, sums, rows, own, bounds):
        """All rows of a vector first, while what belongs to its channels is in registers; then four by four."""
        places, packs = list(sums), self.instruction.packs
        by_vector = sorted(places, key=lambda place: place[1])
        scaled = {(r, v): emit_scaled(self.builder, sums[r, v], own[v]) for r, v in by_vector}
        for four in (places[i : i + 4] for i in range(0, len(places), 4)):
            parts = [scaled[place] for place in four]
            parts += parts[-1:] * (4 - len(four))
            y = emit_in_order(self.builder, emit_bytes(self.builder, parts, bounds, packs), packs)
            self.store_runs([(r, v, y) for r, v in four], rows)

    def store_runs(self, parts, rows):
        """parts: (row, vector, its numbers, or a vector of the bytes of all parts)."""
        builder, lanes = self.builder, self.lanes
        for row in sorted({r for r, _, _ in parts}):
            own = [(k, v, y) for k, (r, v, y) in enumerate(parts) if r == row]
            if self.bytes:
                (k, v, y), count = own[0], len(own) * lanes
                own = [(k, v, builder.shuffle_vector(y, y, int32s(range(k * lanes, k * lanes + count))))]
            for _, v, y in own:
                self.y.store_vector(y, builder.add(rows[row], index(v * lanes)))


_kind = _plain if config.DISABLE_JIT else _in_vectors
_tiles1, _tiles2, _tiles3, _tiles4 = _kind(1), _kind(2), _kind(3), _kind(4)
_row1, _row2, _row3, _row4 = _kind(1, rows=1), _kind(2, rows=1), _kind(3, rows=1), _kind(4, rows=1)


@njit(cache=True, nogil=True)
def panel(path, vectors, left, quads, at, y, y_at, o, count, out, channel):
    """y (count, vectors * lanes), rows o apart, of the first `count` rows of left.row, which holds the last one again
    up to a multiple of `rows_of`."""
    rows = rows_of(path.vectors, path.rows, vectors)
    alone = count % rows if count % rows <= 2 else 0
    first = count - alone
    if first > 0:
        if vectors == 4:
            _tiles4(path, left, quads, at, y, y_at, o, 0, first, out, channel)
        elif vectors == 3:
            _tiles3(path, left, quads, at, y, y_at, o, 0, first, out, channel)
        elif vectors == 2:
            _tiles2(path, left, quads, at, y, y_at, o, 0, first, out, channel)
        else:
            _tiles1(path, left, quads, at, y, y_at, o, 0, first, out, channel)
    if alone > 0:
        y_at += first * o
        if vectors == 4:
            _row4(path, left, quads, at, y, y_at, o, first, alone, out, channel)
        elif vectors == 3:
            _row3(path, left, quads, at, y, y_at, o, first, alone, out, channel)
        elif vectors == 2:
            _row2(path, left, quads, at, y, y_at, o, first, alone, out, channel)
        else:
            _row1(path, left, quads, at, y, y_at, o, first, alone, out, channel)
