"""The instructions that count bits, by what the host has.

A `Path` says how bits are counted, in vectors of how many words, and the shape of the tile (popcount.py):

    popcnt512, popcnt256   vpopcntq, AVX-512 VPOPCNTDQ: the bits of each word
    table512, table256     pshufb, AVX-512BW or AVX2: a table of 16 for both halves of each byte, then psadbw adds the
                           8 bytes of a word (Mula, Kurz & Lemire 2016, arXiv:1611.07612)
    scalar                 llvm.ctpop.i64, a word at a time: popcnt on x86, cnt on ARM, shifts and masks elsewhere

`PATHS` are those that this host can run, the best first. All give the same integers.
"""

from collections import namedtuple

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config
from numba.core import cgutils

from lightnn.kernels.vector.simd import int32

_FIELDS = "lanes rows vectors"  # words in a vector; rows and vectors of a tile


class _Count:
    """LLVM's count of the bits of each word: one instruction where the host has vpopcntq or popcnt."""

    def prepare(self, builder, lanes):
        """What is made once, before the loop."""

    def bits(self, builder, words, prepared):
        name = f"llvm.ctpop.v{words.type.count}i64"
        return call(builder, name, words.type, [words])


class _Table:
    """pshufb: 16 bytes of a table, looked up by the low half of each byte and by the high one; psadbw adds 8 bytes."""

    TABLE = [bin(i).count("1") for i in range(16)]

    def __init__(self, shuffle, add):
        self.shuffle, self.add = shuffle, add

    def prepare(self, builder, lanes):
        kind = ir.VectorType(ir.IntType(8), 8 * lanes)
        return ir.Constant(kind, self.TABLE * (lanes // 2))

    def bits(self, builder, words, table):
        kind, word = table.type, words.type
        low = ir.Constant(word, [0x0F0F0F0F0F0F0F0F] * word.count)
        halves = builder.and_(words, low), builder.and_(builder.lshr(words, ir.Constant(word, [4] * word.count)), low)
        counts = [call(builder, self.shuffle, kind, [table, builder.bitcast(half, kind)]) for half in halves]
        return call(builder, self.add, word, [builder.add(*counts), ir.Constant(kind, None)])


def call(builder, name, kind, args):
    function = ir.FunctionType(kind, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


def falls(builder, s):
    """s_1 ? ~s_2 : s_0 of three vectors of words: one instruction with AVX-512, vpternlogq."""
    if s[0].type.count == 8:
        return call(builder, "llvm.x86.avx512.pternlog.q.512", s[0].type, [*s, int32(0b01110100)])
    ones = ir.Constant(s[0].type, [-1] * s[0].type.count)
    risen = builder.and_(s[1], builder.xor(s[2], ones))
    return builder.or_(risen, builder.and_(s[0], builder.xor(s[1], ones)))


def _known():
    """{name: (can run here, lanes, rows, vectors, how bits are counted)}."""
    can = _feature
    table512 = _Table("llvm.x86.avx512.pshuf.b.512", "llvm.x86.avx512.psad.bw.512")
    return {
        "popcnt512": (can("avx512vpopcntdq"), 8, 4, 2, _Count()),
        "popcnt256": (can("avx512vpopcntdq") and can("avx512vl"), 4, 4, 2, _Count()),
        "table512": (can("avx512bw"), 8, 4, 2, table512),
        "table256": (can("avx2"), 4, 2, 2, _Table("llvm.x86.avx2.pshuf.b", "llvm.x86.avx2.psad.bw")),
        "scalar": (True, 1, 4, 1, _Count()),
    }


def _feature(name):
    """Whether code for this very machine may use it: not where Numba compiles for another one."""
    if config.CPU_NAME or config.CPU_FEATURES or not llvm.get_process_triple().startswith("x86_64"):
        return False
    return bool(llvm.get_host_cpu_features().get(name))


HAS_PERMUTE = _feature("avx512f")  # vpermd: 16 numbers, picked from 16
KNOWN = _known()
_TYPES = {name: namedtuple(name, _FIELDS) for name in KNOWN}
globals().update(_TYPES)  # where pickle, and so Numba's cache, looks for them
PATHS = [_TYPES[name](*shape) for name, (can, *shape, _) in KNOWN.items() if can]
if config.DISABLE_JIT:
    PATHS = PATHS[-1:]
BEST = PATHS[0]
