"""The micro-kernel of a product of signs: of two rows of bits, how many differ.

What it computes. A word is 64 signs, bit 1 for +1 and bit 0 for -1 (words.py). The product of two signs is +1 where
their bits are equal, so the sum of n products is what Rastegari et al. 2016 (arXiv:1603.05279) call XNOR and bit count:

    sum_k a_k b_k = n - 2 D          D = sum_t popcount(A[r, t] ^ B[t, v])

Bits that mean nothing are 0 in A and in B, differ nowhere, and are not counted in n. A `Masked` B says by a second word
which bits of a step count, popcount((A ^ B) & inside): the border of an image is neither +1 nor -1, but 0.

How memory is walked. A tile of D, ROWS x VECTORS vectors of 64-bit sums, stays in registers while t runs. A's word
(r, t) is words[row[r] + step[t]], one load and broadcast. B's vector (t, v) is words[at[v] + step[t]] and the words
behind it. So a product of matrices and a convolution, whose `at` are pixels and whose steps are taps, have one kernel.
At the end a tile becomes numbers, and only these are written: `Sums` n - 2 D; `ByRow` and `ByLane` the float32
(n - 2 D) scale + bias, each a rounding of its own, with one scale a row (convolution) or a lane (matrices).

Why it is fast. 512 products take three instructions: XOR, popcount, addition. float32 takes 32. A `Path` says how bits
are counted:

    popcnt512, popcnt256   vpopcntq, AVX-512 VPOPCNTDQ: the bits of each word
    table512, table256     pshufb, AVX-512BW or AVX2: a table of 16 for both halves of each byte, then psadbw adds the
                           8 bytes of a word (Mula, Kurz & Lemire 2016, arXiv:1611.07612)
    scalar                 llvm.ctpop.i64, a word at a time: popcnt on x86, cnt on ARM, shifts and masks elsewhere

`PATHS` are those that this host can run, the best first. All give the same integers. With NUMBA_DISABLE_JIT=1 the tile
is a few lines of NumPy (`_plain_tile`).
"""

from collections import namedtuple
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, keep_steps_apart, splat

_FIELDS = "lanes rows"  # words in a vector, rows of a tile
VECTORS = 2  # of a tile: as fast as 3, and more tiles are full
LANES = 8  # those of the widest path; the others' divide it


class Left(NamedTuple):
    """A: word t of row r is words[row[r] + step[t]]."""

    words: np.ndarray  # uint64
    row: np.ndarray
    step: np.ndarray


class Right(NamedTuple):
    """B: vector v of step t starts at words[at[v] + step[t]]."""

    words: np.ndarray
    at: np.ndarray
    step: np.ndarray


class Masked(NamedTuple):
    """As Right; of step t count only the bits of the vector at inside[inside_at[v] + inside_step[t]]."""

    words: np.ndarray
    at: np.ndarray
    step: np.ndarray
    inside: np.ndarray
    inside_at: np.ndarray
    inside_step: np.ndarray


class Sums(NamedTuple):
    """y[row[r] + at[v] + lane] = n - 2 D, with n = count[count_at[v] + lane]."""

    y: np.ndarray  # int32
    row: np.ndarray
    at: np.ndarray
    count: np.ndarray  # int32
    count_at: np.ndarray


class ByRow(NamedTuple):
    """y[row[r] + at[v] + lane] = (n - 2 D) scale[index[r]] + bias[index[r]]."""

    y: np.ndarray  # float32
    row: np.ndarray
    at: np.ndarray
    count: np.ndarray
    count_at: np.ndarray
    scale: np.ndarray
    bias: np.ndarray
    index: np.ndarray


class ByLane(NamedTuple):
    """y[row[r] + at[v] + lane] = (n - 2 D) scale[at[v] + lane] + bias[at[v] + lane]."""

    y: np.ndarray  # float32
    row: np.ndarray
    at: np.ndarray
    count: np.ndarray
    count_at: np.ndarray
    scale: np.ndarray
    bias: np.ndarray


class _Count:
    """LLVM's count of the bits of each word: one instruction where the host has vpopcntq or popcnt."""

    def prepare(self, builder, lanes):
        """What is made once, before the loop."""

    def bits(self, builder, words, prepared):
        name = f"llvm.ctpop.v{words.type.count}i64"
        return _call(builder, name, words.type, [words])


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
        counts = [_call(builder, self.shuffle, kind, [table, builder.bitcast(half, kind)]) for half in halves]
        return _call(builder, self.add, word, [builder.add(*counts), ir.Constant(kind, None)])


def _call(builder, name, kind, args):
    function = ir.FunctionType(kind, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


def _known():
    """{name: (can run here, lanes, rows, how bits are counted)}."""
    can = llvm.get_host_cpu_features().get if llvm.get_process_triple().startswith("x86_64") else lambda _: False
    if config.CPU_NAME or config.CPU_FEATURES:  # Numba compiles for another machine than this one
        can = lambda _: False  # noqa: E731
    table512 = _Table("llvm.x86.avx512.pshuf.b.512", "llvm.x86.avx512.psad.bw.512")
    return {
        "popcnt512": (can("avx512vpopcntdq"), 8, 8, _Count()),
        "popcnt256": (can("avx512vpopcntdq") and can("avx512vl"), 4, 8, _Count()),
        "table512": (can("avx512bw"), 8, 4, table512),
        "table256": (can("avx2"), 4, 4, _Table("llvm.x86.avx2.pshuf.b", "llvm.x86.avx2.psad.bw")),
        "scalar": (True, 1, 4, _Count()),
    }


_KNOWN = _known()
_TYPES = {name: namedtuple(name, _FIELDS) for name in _KNOWN}
globals().update(_TYPES)  # where pickle, and so Numba's cache, looks for them
PATHS = [_TYPES[name](*shape) for name, (can, *shape, _) in _KNOWN.items() if can]
if config.DISABLE_JIT:
    PATHS = PATHS[-1:]
BEST = PATHS[0]


def _plain_tile(path, depth, left, right, r, v, out):
    lane = np.arange(path.lanes)
    for row in range(r, r + path.rows):
        a = left.words[left.row[row] + left.step[:depth], None]
        for u in range(v, v + VECTORS):
            differ = a ^ right.words[right.at[u] + right.step[:depth, None] + lane]
            if len(right) > 3:
                differ &= right.inside[right.inside_at[u] + right.inside_step[:depth, None] + lane]
            total = out.count[out.count_at[u] + lane] - 2 * np.bitwise_count(differ).sum(0, dtype=np.int32)
            _plain_store(out, row, u, lane, total)


def _plain_store(out, r, v, lane, total):
    if len(out) > 5:
        at = out.index[r] if len(out) > 7 else out.at[v] + lane
        total = total.astype(np.float32) * out.scale[at] + out.bias[at]
    out.y[out.row[r] + out.at[v] + lane] = total


@intrinsic
def _tile(typing, path, depth, left, right, r, v, out):
    _, lanes, rows, counter = _KNOWN[path.instance_class.__name__]
    signature = types.void(path, types.int64, left, right, types.int64, types.int64, out)
    return signature, lambda *args: _emit_tile(*args, rows, lanes, counter)


class _Fields:
    """The fields of a NamedTuple of arrays, each a Flat."""

    def __init__(self, context, builder, kind, value):
        for i, (name, each) in enumerate(zip(kind.fields, kind.types, strict=True)):
            setattr(self, name, Flat(context, builder, each, builder.extract_value(value, i)))


def _emit_tile(context, builder, signature, args, rows, lanes, counter):
    _, depth, _, _, r0, v0, _ = args
    left, right, out = (_Fields(context, builder, signature.args[k], args[k]) for k in (2, 3, 6))
    r_of = [builder.add(r0, index(r)) for r in range(rows)]
    v_of = [builder.add(v0, index(v)) for v in range(VECTORS)]
    starts = [left.words.at(left.row.load(r)) for r in r_of]
    panels = [right.words.at(right.at.load(v)) for v in v_of]
    masks = [right.inside.at(right.inside_at.load(v)) for v in v_of] if hasattr(right, "inside") else []
    word = ir.VectorType(ir.IntType(64), lanes)
    places = [(r, v) for r in range(rows) for v in range(VECTORS)]
    sums = {place: cgutils.alloca_once_value(builder, ir.Constant(word, None)) for place in places}
    prepared = counter.prepare(builder, lanes)
    with cgutils.for_range(builder, depth) as loop:
        t, a_step = right.step.load(loop.index), left.step.load(loop.index)
        b = [right.words.load_vector(t, lanes, base=panel) for panel in panels]
        t = right.inside_step.load(loop.index) if masks else t
        inside = [right.inside.load_vector(t, lanes, base=mask) for mask in masks]
        for r in range(rows):
            a = splat(builder, left.words.load(a_step, starts[r]), lanes)
            for v in range(VECTORS):
                differ = builder.xor(a, b[v])
                differ = builder.and_(differ, inside[v]) if masks else differ
                total = builder.add(builder.load(sums[r, v]), counter.bits(builder, differ, prepared))
                builder.store(total, sums[r, v])
            keep_steps_apart(builder)
        keep_steps_apart(builder)
    for r, v in places:
        _emit_store(builder, out, r_of[r], v_of[v], builder.load(sums[r, v]))


def _emit_store(builder, out, r, v, differ):
    """n - 2 D, as `out` wants it."""
    lanes = differ.type.count
    narrow, real = ir.VectorType(ir.IntType(32), lanes), ir.VectorType(ir.FloatType(), lanes)
    n, at = out.count.load_vector(out.count_at.load(v), lanes), out.at.load(v)
    differ = builder.trunc(differ, narrow)
    total = builder.sub(n, builder.add(differ, differ))
    if hasattr(out, "scale"):
        total = builder.sitofp(total, real)
        if hasattr(out, "index"):
            o = out.index.load(r)
            scale, bias = (splat(builder, each.load(o), lanes) for each in (out.scale, out.bias))
        else:
            scale, bias = (each.load_vector(at, lanes) for each in (out.scale, out.bias))
        total = builder.fadd(builder.fmul(total, scale), bias)
    out.y.store_vector(total, builder.add(out.row.load(r), at))


tile = _plain_tile if config.DISABLE_JIT else _tile


@njit(cache=True, nogil=True)
def tiles(path, depth, left, right, rows, vectors, out):
    """The numbers of rows rows[0] .. rows[1] - 1 and vectors vectors[0] .. vectors[1] - 1: whole tiles, so the tables
    of Left, Right and `out` go on to a multiple of path.rows and of VECTORS, and may repeat their last place."""
    for r in range(rows[0], rows[1], path.rows):
        for v in range(vectors[0], vectors[1], VECTORS):
            tile(path, depth, left, right, r, v, out)
