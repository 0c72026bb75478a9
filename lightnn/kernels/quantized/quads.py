"""Quads, the numbers of an integer matrix product, and the instructions that multiply them.

What it computes. A quad is four bytes side by side, numbers 4t .. 4t+3 of a sum. A holds uint8 (activations), B int8
(weights); the product of a quad of each is the sum of four products, an int32. All integers are exact: 255 * 127 *
66311 < 2^31 (requantize.py).

How memory is walked. Activations are read where they are: quad t of row r is the four bytes from row[r] + step[t] on,
wherever that is, one load and broadcast. So a row may be a row of a matrix, or a window of an image whose channels lie
side by side; it need not be copied. B is a panel, packed once for a network: its rows lie one after another.
panel_llvm.py walks them, depthwise_llvm.py makes quads of its own.

Why it is fast. One instruction takes a vector of 16 quads of B and one quad of A, 64 multiply-adds, four times those
of a float32 instruction, and each operand is a quarter of the bytes. A `Path` says by which instruction:

    vnni512, vnni256           vpdpbusd, AVX-512 VNNI or AVX-VNNI: uint8 x int8, four products added to an int32
    madd512, madd256, madd128  pmaddwd, AVX-512BW, AVX2 or SSE2: two products of int16, added. A quad becomes two pairs,
                               bytes 0 and 2, 1 and 3. (pmaddubsw takes bytes, but its sums saturate: not exact)
    portable                   four multiplications of int32, in LLVM's vectors: any machine

`PATHS` are those that this host can run, the best first; each gives the same integers. A path is an argument of the
kernels, and a type of its own, so each is compiled with its own instruction. With NUMBA_DISABLE_JIT=1 a few lines of
NumPy do it.
"""

from collections import namedtuple
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config
from numba.core import cgutils

_FIELDS = "lanes rows vectors"  # sums in a vector; the rows of a tile that is as many vectors wide as it may be


class Left(NamedTuple):
    """A: quad t of row r is bytes[row[r] + step[t] : + 4]."""

    bytes: np.ndarray  # uint8
    row: np.ndarray
    step: np.ndarray


class _Vnni:
    """vpdpbusd: an instruction adds four products to each lane."""

    packs = True  # requantize_llvm.PACKS

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

    packs = True

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

    packs = False

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
        "vnni512": (vnni, 16, 6, 4, _Vnni(16)),
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


def numbers_of(quads):
    """The four numbers of each quad of int8, (..., 4), as int64."""
    return np.ascontiguousarray(quads).view(np.int8).reshape(*quads.shape, 4).astype(np.int64)


def known(path):
    """(can run here, lanes, rows, vectors, instruction) of a path's Numba type."""
    return _KNOWN[path.instance_class.__name__]


def load_quad(builder, start, place):
    """Four bytes from `place` beyond the address `start`, which need not be aligned, as an int32."""
    address = builder.bitcast(builder.gep(start, [place]), ir.IntType(32).as_pointer())
    return builder.load(address, align=1)
