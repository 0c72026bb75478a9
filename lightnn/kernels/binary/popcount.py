"""The micro-kernel of a product of signs: of two rows of bits, how many differ.

What it computes. A word is 64 signs, bit 1 for +1 and bit 0 for -1 (words.py). The product of two signs is +1 where
their bits are equal, so the sum of n products is what Rastegari et al. 2016 (arXiv:1603.05279) call XNOR and bit count:

    sum_k a_k b_k = n - 2 D          D = sum_t popcount(a_t ^ b_t)

Bits that mean nothing are 0 in a and in b, differ nowhere, and are not counted in n.

Half as many popcounts. Both sides come as running XORs (`running`), A_t = a_1 ^ ... ^ a_t, and B_t. Then each bit of

    s_t = A_t ^ B_t          s_0 = 0,    s_t ^ s_(t-1) = a_t ^ b_t

changes from step to step where a and b differ, so D counts changes. A bit that starts at 0 has risen as often as it
has fallen, and once more if it ends at 1. In two steps it falls at most once, and one instruction of three operands
finds out whether it did:

    D = popcount(s_T) + 2 sum over pairs of steps of popcount(s_1 ? ~s_2 : s_0)

A pair takes two XORs, the choice, a popcount and an addition: 5 instructions for 1024 products of 512 bits, not 6.

How memory is walked. A tile, ROWS x VECTORS vectors of 64-bit sums, stays in registers while t runs, and so does s.
A's words lie in rows, a load and broadcast each; B's in panels: WIDTH words side by side for each step. At the end a
tile becomes numbers, and only these are written.

The roofline. AMD's Zen 4 does two of these instructions of 512 bits a cycle (one popcount): 1024 products in 2.5
cycles, 410 a cycle. Its float32 does 16, so 25.6 times as many products are the most to be had, before any packing.
paths.py has the instructions. With NUMBA_DISABLE_JIT=1 the tiles are a few lines of NumPy (`_plain_tiles`).
"""

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.binary.paths import BEST, HAS_PERMUTE, KNOWN, PATHS, call, falls  # noqa: F401
from lightnn.kernels.vector.simd import Flat, index, int32s, keep_steps_apart, splat

WIDTH = 16  # words of a step in a panel: whole vectors of every path


class Rows(NamedTuple):
    """A, running: word t of row r is words[r * pitch + t]. `count` rows; a tile that goes on repeats the last one."""

    words: np.ndarray  # uint64
    pitch: int
    count: int


class Counts(NamedTuple):
    """n of row r and lane: table[r * pitch + classes[class_at + lane]]. A row of the table that has `size` 16 is one
    register, and looking up is one instruction."""

    table: np.ndarray  # int32
    pitch: int
    size: int
    classes: np.ndarray  # int32


class Sums(NamedTuple):
    """y[at + r * pitch + lane] = n - 2 D."""

    y: np.ndarray  # int32
    pitch: int


class ByRow(NamedTuple):
    """y[at + r * pitch + lane] = (n - 2 D) scale[r] + bias[r], each operation rounded."""

    y: np.ndarray  # float32
    pitch: int
    scale: np.ndarray
    bias: np.ndarray


class ByLane(NamedTuple):
    """The same with scale[lane_at + lane] and bias[lane_at + lane]."""

    y: np.ndarray
    pitch: int
    lane_scale: np.ndarray
    lane_bias: np.ndarray


def _plain_tiles(path, depth, left, panel, p, counts, class_at, out, at, lane_at):
    lane = np.arange(WIDTH)
    b = panel[p + WIDTH * np.arange(depth)[:, None] + lane]
    for r in range(left.count):
        s = left.words[r * left.pitch : r * left.pitch + depth, None] ^ b
        s[1:] ^= s[:-1].copy()
        n = counts.table[r * counts.pitch + counts.classes[class_at + lane]]
        total = n - 2 * np.bitwise_count(s).sum(0, dtype=np.int32)
        if hasattr(out, "scale"):
            total = total.astype(np.float32) * out.scale[r] + out.bias[r]
        elif hasattr(out, "lane_scale"):
            total = total.astype(np.float32) * out.lane_scale[lane_at + lane] + out.lane_bias[lane_at + lane]
        out.y[at + r * out.pitch + lane] = total


@intrinsic
def _tiles(typing, path, depth, left, panel, p, counts, class_at, out, at, lane_at):
    _, lanes, rows, vectors, counter = KNOWN[path.instance_class.__name__]
    i = types.int64
    signature = types.void(path, i, left, panel, i, counts, i, out, i, i)

    def codegen(context, builder, signature, args):
        _, depth, left, panel, p, counts, class_at, out, at, lane_at = args
        left, counts, out = (_Fields(context, builder, signature.args[k], args[k]) for k in (2, 5, 7))
        panel, end = Flat(context, builder, signature.args[3], panel), left.count
        with cgutils.for_range_slice(builder, index(0), end, index(rows)) as (r, _):
            for lane in range(0, WIDTH, lanes * vectors):
                base, shape = panel.at(builder.add(p, index(lane))), (rows, vectors, lanes)
                sums = _emit_tile(builder, shape, counter, depth, left, r, base)
                places = [builder.add(k, index(lane)) for k in (class_at, at, lane_at)]
                for row, differ in sums:
                    _emit_store(builder, counts, out, places, row, differ)

    return signature, codegen


class _Fields:
    """The fields of a NamedTuple, an array as Flat."""

    def __init__(self, context, builder, kind, value):
        for i, (name, each) in enumerate(zip(kind.fields, kind.types, strict=True)):
            part = builder.extract_value(value, i)
            setattr(self, name, Flat(context, builder, each, part) if isinstance(each, types.Array) else part)


def _emit_tile(builder, shape, counter, depth, left, r0, base):
    """[(row, D of its lanes)] of the rows from r0 on, and a panel's vectors from the address `base` on."""
    rows, vectors, lanes = shape
    last = builder.sub(left.count, index(1))
    r_of = [builder.add(r0, index(r)) for r in range(rows)]
    r_of = [builder.select(builder.icmp_signed("<", r, last), r, last) for r in r_of]
    starts = [left.words.at(builder.mul(r, left.pitch)) for r in r_of]
    word = ir.VectorType(ir.IntType(64), lanes)
    places = [(r, v) for r in range(rows) for v in range(vectors)]
    sums, state = ({at: cgutils.alloca_once_value(builder, ir.Constant(word, None)) for at in places} for _ in "ab")
    prepared = counter.prepare(builder, lanes)

    def step(t):
        at = builder.mul(t, index(WIDTH))
        b = [load_words(builder, base, builder.add(at, index(v * lanes)), lanes) for v in range(vectors)]
        return lambda r, v: builder.xor(splat(builder, left.words.load(t, starts[r]), lanes), b[v])

    odd = builder.and_(depth, index(1))
    with builder.if_then(builder.trunc(odd, ir.IntType(1))):
        first = step(index(0))
        for at in places:
            builder.store(first(*at), state[at])
    with cgutils.for_range_slice(builder, odd, depth, index(2)) as (t, _):
        one, two = step(t), step(builder.add(t, index(1)))
        for at in places:
            s = builder.load(state[at]), one(*at), two(*at)
            counted = counter.bits(builder, falls(builder, s), prepared)
            builder.store(builder.add(builder.load(sums[at]), counted), sums[at])
            builder.store(s[2], state[at])
            keep_steps_apart(builder)
        keep_steps_apart(builder)

    def differ(at):
        falls, rest = builder.load(sums[at]), counter.bits(builder, builder.load(state[at]), prepared)
        return builder.bitcast(builder.add(builder.add(falls, falls), rest), ir.VectorType(ir.IntType(32), 2 * lanes))

    return [(r_of[r], _low_halves(builder, [differ((r, v)) for v in range(vectors)])) for r in range(rows)]


def load_words(builder, base, at, lanes):
    pointer = ir.VectorType(ir.IntType(64), lanes).as_pointer()
    return builder.load(builder.bitcast(builder.gep(base, [at]), pointer), align=8)


def _low_halves(builder, vectors):
    """Every second number of one or two vectors, side by side."""
    return builder.shuffle_vector(vectors[0], vectors[-1], int32s(range(0, len(vectors) * vectors[0].type.count, 2)))


def _emit_store(builder, counts, out, places, r, differ):
    """n - 2 D, as `out` wants it."""
    many, (class_at, at, lane_at) = differ.type.count, places
    n = _emit_look_up(builder, counts, builder.mul(r, counts.pitch), class_at, many)
    total = builder.sub(n, builder.add(differ, differ))
    if hasattr(out, "scale"):
        scale, bias = (splat(builder, each.load(r), many) for each in (out.scale, out.bias))
    elif hasattr(out, "lane_scale"):
        scale, bias = (each.load_vector(lane_at, many) for each in (out.lane_scale, out.lane_bias))
    if hasattr(out, "scale") or hasattr(out, "lane_scale"):
        total = builder.sitofp(total, ir.VectorType(ir.FloatType(), many))
        total = builder.fadd(builder.fmul(total, scale), bias)
    out.y.store_vector(total, builder.add(at, builder.mul(r, out.pitch)))


def _emit_look_up(builder, counts, row, class_at, many):
    kind = ir.VectorType(ir.IntType(32), many)
    found = cgutils.alloca_once(builder, kind)
    few = builder.icmp_signed("==", counts.size, index(16 if many == 16 and HAS_PERMUTE else 0))
    with builder.if_else(few) as (at_once, one_by_one):
        with at_once:
            if many == 16 and HAS_PERMUTE:
                pair = counts.table.load_vector(row, 16), counts.classes.load_vector(class_at, 16)
                builder.store(call(builder, "llvm.x86.avx512.permvar.si.512", kind, pair), found)
        with one_by_one:
            numbers = builder.bitcast(found, ir.IntType(32).as_pointer())
            with cgutils.for_range(builder, index(many)) as loop:
                k = builder.sext(counts.classes.load(builder.add(class_at, loop.index)), ir.IntType(64))
                builder.store(counts.table.load(builder.add(row, k)), builder.gep(numbers, [loop.index]))
    return builder.load(found)


tiles = _plain_tiles if config.DISABLE_JIT else _tiles
