"""The micro-kernel of an integer matrix product: C[r, :] += sum_t A[r, t] . B[t, :], where A and B are made of quads.

What it computes. A quad is four bytes side by side, numbers 4t .. 4t+3 of a sum. A holds uint8 (activations), B int8
(weights); the product of a quad of each is the sum of four products, an int32. All integers are exact: 255 * 127 *
66311 < 2^31 (requantize.py).

How memory is walked. As in the float tile (vector/gemm.py): ROWS x VECTORS vectors of sums stay in registers while t
runs. Activations are read where they are: quad t of row r is the four bytes from row[r] + step[t] on, wherever that is,
one load and broadcast. So a row may be a row of a matrix, or a window of an image whose channels lie side by side; it
need not be copied. B is a panel, packed once for a network: its rows lie one after another.

Why it is fast. One instruction takes a vector of 16 quads of B and one quad of A, 64 multiply-adds, four times those
of a float32 instruction, and each operand is a quarter of the bytes. A `Path` says by which instruction:

    vnni512, vnni256           vpdpbusd, AVX-512 VNNI or AVX-VNNI: uint8 x int8, four products added to an int32
    madd512, madd256, madd128  pmaddwd, AVX-512BW, AVX2 or SSE2: two products of int16, added. A quad becomes two pairs,
                               bytes 0 and 2, 1 and 3. (pmaddubsw takes bytes, but its sums saturate: not exact)
    portable                   four multiplications of int32, in LLVM's vectors: any machine

`PATHS` are those that this host can run, the best first; each gives the same integers. A path is an argument of the
kernels, and a type of its own, so each is compiled with its own instruction. With NUMBA_DISABLE_JIT=1 the tile is a few
lines of NumPy (`_plain_tile`).
"""

from collections import namedtuple
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, fields, index, keep_steps_apart, splat

_FIELDS = "lanes rows vectors"  # sums in a vector; the tile's rows, and its vectors at most


class Left(NamedTuple):
    """A: quad t of row r is bytes[row[r] + step[t] : + 4]."""

    bytes: np.ndarray  # uint8
    row: np.ndarray
    step: np.ndarray


class At(NamedTuple):
    """Where a tile starts."""

    row: int  # the first row, in the table `row`
    b: int  # of the panel in the quads of B; its row t is path.vectors * path.lanes * t further
    c: int  # of the tile's first number in C


class _Vnni:
    """vpdpbusd: an instruction adds four products to each lane."""

    def __init__(self, lanes):
        self.name = f"llvm.x86.avx512.vpdpbusd.{32 * lanes}"

    def split(self, builder, quads, signed):
        return quads

    def add(self, builder, total, unsigned, signed):
        kind = total.type
        function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), self.name)
        return builder.call(function, [total, unsigned, signed])


class _Madd:
    """pmaddwd: bytes are widened to 16 bits; an instruction adds two products, exactly."""

    def __init__(self, lanes, name):
        self.name, self.lanes = name, lanes
        self.pair = ir.VectorType(ir.IntType(16), 2 * lanes)

    def split(self, builder, quads, signed):
        """(bytes 0 and 2, bytes 1 and 3) of each quad, as 16-bit numbers."""
        pairs, eight = builder.bitcast(quads, self.pair), ir.Constant(self.pair, [8] * self.pair.count)
        if signed:
            return builder.ashr(builder.shl(pairs, eight), eight), builder.ashr(pairs, eight)
        return builder.and_(pairs, ir.Constant(self.pair, [255] * self.pair.count)), builder.lshr(pairs, eight)

    def add(self, builder, total, unsigned, signed):
        kind = ir.FunctionType(total.type, [self.pair] * 2)
        function = cgutils.get_or_insert_function(builder.module, kind, self.name)
        for pair in zip(unsigned, signed, strict=True):
            total = builder.add(total, builder.call(function, pair))
        return total


class _Portable:
    """Each byte widened to 32 bits: four multiplications."""

    def split(self, builder, quads, signed):
        def constant(value):
            return ir.Constant(quads.type, [value] * quads.type.count)

        if signed:
            return [builder.ashr(builder.shl(quads, constant(24 - 8 * i)), constant(24)) for i in range(4)]
        return [builder.and_(builder.lshr(quads, constant(8 * i)), constant(255)) for i in range(4)]

    def add(self, builder, total, unsigned, signed):
        for pair in zip(unsigned, signed, strict=True):
            total = builder.add(total, builder.mul(*pair))
        return total


def _known():
    """{name: (can run here, lanes, rows, vectors, instruction)}: rows * vectors sums and what is split of A and B must
    fit the register file, 32 vectors with AVX-512 and 16 without."""
    can = llvm.get_host_cpu_features().get if llvm.get_process_triple().startswith("x86_64") else lambda _: False
    if config.CPU_NAME or config.CPU_FEATURES:  # Numba compiles for another machine than this one
        can = lambda _: False  # noqa: E731
    vnni, half = can("avx512vnni"), can("avxvnni") or (can("avx512vnni") and can("avx512vl"))
    return {
        "vnni512": (vnni, 16, 8, 3, _Vnni(16)),
        "vnni256": (half, 8, 4, 3, _Vnni(8)),
        "madd512": (can("avx512bw"), 16, 8, 2, _Madd(16, "llvm.x86.avx512.pmaddw.d.512")),
        "madd256": (can("avx2"), 8, 4, 2, _Madd(8, "llvm.x86.avx2.pmadd.wd")),
        "madd128": (can("sse2"), 4, 4, 2, _Madd(4, "llvm.x86.sse2.pmadd.wd")),
        "portable": (True, 4, 4, 1, _Portable()),
    }


_KNOWN = _known()
_TYPES = {name: namedtuple(name, _FIELDS) for name in _KNOWN}
globals().update(_TYPES)  # where pickle, and so Numba's cache, looks for them
PATHS = [_TYPES[name](*shape) for name, (can, *shape, _) in _KNOWN.items() if can]
if config.DISABLE_JIT:
    PATHS = PATHS[-1:]
BEST = PATHS[0]


def _plain_tile(vectors, rows=None):
    def tile(path, depth, left, quads, at, c, c_stride):
        width, step = vectors * path.lanes, path.vectors * path.lanes
        b = numbers_of(quads[at.b + step * np.arange(depth)[:, None] + np.arange(width)])
        for r in range(rows or path.rows):
            a = left.bytes[left.row[at.row + r] + left.step[:depth, None] + np.arange(4)].astype(np.int64)
            c[at.c + r * c_stride : at.c + r * c_stride + width] = np.einsum("tk,twk->w", a, b)

    return tile


def numbers_of(quads):
    """The four numbers of each quad of int8, (..., 4), as int64."""
    return np.ascontiguousarray(quads).view(np.int8).reshape(*quads.shape, 4).astype(np.int64)


def _vector_tile(vectors, rows=None):
    """The tile of `rows` (those of the path) x `vectors`, as an intrinsic."""

    @intrinsic
    def tile(typing, path, depth, left, quads, at, c, c_stride):
        _, lanes, own_rows, most, instruction = known(path)
        signature = types.void(path, types.int64, left, quads, at, c, types.int64)
        shape = rows or own_rows, vectors, lanes, most * lanes
        return signature, lambda *args: _emit_tile(*args, shape, instruction)

    return tile


def known(path):
    """(can run here, lanes, rows, vectors, instruction) of a path's Numba type."""
    return _KNOWN[path.instance_class.__name__]


def load_quad(builder, start, place):
    """Four bytes from `place` beyond the address `start`, which need not be aligned, as an int32."""
    address = builder.bitcast(builder.gep(start, [place]), ir.IntType(32).as_pointer())
    return builder.load(address, align=1)


def _emit_tile(context, builder, signature, args, shape, instruction):
    (rows, vectors, lanes, width), (_, _, left, right, at, numbers, _) = shape, signature.args
    a, a_row, a_step = fields(context, builder, left, args[2])
    at_row, at_b, at_c = fields(context, builder, at, args[4])
    depth, b, c, c_stride = (
        args[1],
        Flat(context, builder, right, args[3]),
        Flat(context, builder, numbers, args[5]),
        args[6],
    )
    starts = [a.at(a_row.load(builder.add(at_row, index(r)))) for r in range(rows)]
    panel, vector = b.at(at_b), ir.VectorType(ir.IntType(32), lanes)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums = {place: cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for place in places}
    with cgutils.for_range(builder, depth) as loop:
        t, step = builder.mul(loop.index, index(width)), a_step.load(loop.index)
        row_b = [b.load_vector(builder.add(t, index(v * lanes)), lanes, base=panel) for v in range(vectors)]
        row_b = [instruction.split(builder, quads, True) for quads in row_b]
        for r in range(rows):
            quad = splat(builder, load_quad(builder, starts[r], step), lanes)
            quad = instruction.split(builder, quad, False)
            for v in range(vectors):
                builder.store(instruction.add(builder, builder.load(sums[r, v]), quad, row_b[v]), sums[r, v])
        keep_steps_apart(builder)
    for r, v in places:
        place = builder.add(builder.add(at_c, builder.mul(c_stride, index(r))), index(v * lanes))
        c.store_vector(builder.load(sums[r, v]), place)


_tile = _plain_tile if config.DISABLE_JIT else _vector_tile
tile1, tile2, tile3 = _tile(1), _tile(2), _tile(3)
row1, row2, row3 = _tile(1, rows=1), _tile(2, rows=1), _tile(3, rows=1)


@njit(cache=True, nogil=True)
def tile(path, vectors, depth, left, quads, at, c, c_stride):
    """c (path.rows, vectors * lanes) = a (rows, depth) . b (depth, vectors * lanes), rows of c c_stride apart."""
    if vectors == 3:
        tile3(path, depth, left, quads, at, c, c_stride)
    elif vectors == 2:
        tile2(path, depth, left, quads, at, c, c_stride)
    else:
        tile1(path, depth, left, quads, at, c, c_stride)


@njit(cache=True, nogil=True)
def tile_row(path, vectors, depth, left, quads, at, c):
    """As `tile`, of one row."""
    if vectors == 3:
        row3(path, depth, left, quads, at, c, 0)
    elif vectors == 2:
        row2(path, depth, left, quads, at, c, 0)
    else:
        row1(path, depth, left, quads, at, c, 0)
