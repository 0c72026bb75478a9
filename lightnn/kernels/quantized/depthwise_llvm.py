"""Output pixels of a depthwise convolution, side by side, for a vector of channels, in LLVM's vector types.

What it computes, for the channels of a block from bytes at `at`; channel 16j + 4i + k is in lane 4j + k of vector i:

    s[i, lane] = sum_t  quad(data[at + tap[4t + e] + channel], e < 4) . quads[w + (4t + i)*lanes + lane]

    tile_sums    sums[to + i*lanes + lane] = s[i, lane]
    row_bytes    y[to + channel] = s[i, lane], requantized (requantize_llvm.py), with b of first + i*lanes + lane; and
                 for `count` pixels, at + p*step and to + p*o
    pair_rows    the same, two pixels at a time: the next one's window is seen in the same quads when the stride is 1,
                 with the weights from w + second on. Of an odd number the last two pairs overlap

Why it is fast. Four vectors of bytes, one a tap, become four vectors of quads by x86's unpacking, which interleaves
the lower or the upper halves of 16 bytes: first bytes, then pairs of them.

    tap 0   a0 b0 c0 d0                      a0 a1 b0 b1
    tap 1   a1 b1 c1 d1   lower, bytes  ->   c0 c1 d0 d1      lower, pairs  ->   a0 a1 a2 a3  b0 b1 b2 b3
    tap 2   a2 b2 c2 d2                      a2 a3 b2 b3      upper, pairs  ->   c0 c1 c2 c3  d0 d1 d2 d3
    tap 3   a3 b3 c3 d3   lower, bytes  ->   c2 c3 d2 d3

Packing four vectors of sums to bytes is the way back: it puts the channels into their order.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.quantized.quads import known, numbers_of
from lightnn.kernels.quantized.requantize import scaled
from lightnn.kernels.quantized.requantize_llvm import Bounds, emit_bytes, emit_own, emit_scaled, emit_start
from lightnn.kernels.vector.simd import Flat, fields, index, int32s


def order(lanes):
    """The channel in each lane of each vector, (4, lanes)."""
    lane = np.arange(lanes)
    return 16 * (lane // 4) + 4 * np.arange(4)[:, None] + lane % 4


def _plain_sums(path, steps, data, at, tap, quads, w, sums, to):
    size = 4 * path.lanes
    pixels = data[at + tap[: 4 * steps].reshape(steps, 4, 1) + np.arange(size)].astype(np.int64)
    weights = numbers_of(quads[w : w + steps * size]).reshape(steps, 4, path.lanes, 4)
    total = np.einsum("teil,tile->il", pixels[..., order(path.lanes)], weights)
    sums[to : to + size] = total.reshape(-1)


def _plain_pairs(path, steps, data, at, step, tap, quads, w, out, first, y, to, o, count, second):
    _plain_row(path, steps, data, at, step, tap, quads, w, out, first, y, to, o, count - 1)
    at, to = at + (count - 2) * step, to + (count - 1) * o
    _plain_row(path, steps, data, at, step, tap, quads, w + second, out, first, y, to, o, 1)


def _plain_row(path, steps, data, at, step, tap, quads, w, out, first, y, to, o, count):
    size = 4 * path.lanes
    sums = np.empty(size, np.int64)
    b, m0, n = (part[first : first + size].astype(np.int64) for part in (out.b, out.m0, out.n))
    for pixel in range(count):
        _plain_sums(path, steps, data, at + pixel * step, tap, quads, w, sums, 0)
        moved = np.clip(out.zero + scaled(sums + b, m0, n), out.low, out.high)
        y[to + pixel * o + order(path.lanes).reshape(-1)] = moved


def _unpacked(builder, a, b, upper):
    """The lower or upper halves of each 16 bytes of a and b, interleaved."""
    count = 16 * 8 // a.type.element.width  # numbers in 16 bytes
    places = [first + upper * count // 2 + i for first in range(0, a.type.count, count) for i in range(count // 2)]
    return builder.shuffle_vector(a, b, int32s([k for place in places for k in (place, place + a.type.count)]))


def _weave(builder, taps, quads):
    """Four vectors of quads, of the type `quads`, of the bytes of four taps."""
    pairs = ir.VectorType(ir.IntType(16), 2 * quads.count)
    for upper in (0, 1):
        a, b = (builder.bitcast(_unpacked(builder, *taps[i : i + 2], upper), pairs) for i in (0, 2))
        yield from (builder.bitcast(_unpacked(builder, a, b, half), quads) for half in (0, 1))


def _emit_sums(builder, path, steps, data, at, tap, quads, starts, first):
    """Four vectors of sums for each start of weights; `first`: the four that they start from."""
    _, lanes, _, _, instruction = known(path)
    vector, octets = ir.VectorType(ir.IntType(32), lanes), ir.VectorType(ir.IntType(8), 4 * lanes)
    sums = [[cgutils.alloca_once(builder, vector) for _ in range(4)] for _ in starts]
    for own in sums:
        for place, value in zip(own, first, strict=True):
            builder.store(value, place)
    start, weights = data.at(at), [quads.at(w) for w in starts]
    with cgutils.for_range(builder, steps) as loop:
        begin, taps = builder.mul(loop.index, index(4)), []
        for e in range(4):
            address = builder.gep(start, [tap.load(builder.add(begin, index(e)))])
            taps.append(builder.load(builder.bitcast(address, octets.as_pointer()), align=1))
        for i, woven in enumerate(_weave(builder, taps, vector)):
            place = builder.mul(builder.add(begin, index(i)), index(lanes))
            woven = instruction.split(builder, woven, False)
            for w, own in zip(weights, sums, strict=True):
                weight = instruction.split(builder, quads.load_vector(place, lanes, base=w), True)
                builder.store(instruction.add(builder, builder.load(own[i]), woven, weight), own[i])
    return [[builder.load(total) for total in own] for own in sums]


@intrinsic
def _sums(typing, path, steps, data, at, tap, quads, w, sums, to):
    def codegen(context, builder, signature, args):
        data, tap, quads, sums = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 4, 5, 7))
        zeros = [ir.Constant(ir.VectorType(ir.IntType(32), known(path)[1]), None)] * 4
        [totals] = _emit_sums(builder, path, args[1], data, args[3], tap, quads, args[6:7], zeros)
        for i, total in enumerate(totals):
            sums.store_vector(total, builder.add(args[8], index(i * total.type.count)))

    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, sums, i), codegen


def _channels(builder, out, first, lanes):
    """[(b, m0, n)] of four vectors of channels; out: the fields of an Output."""
    places = [builder.add(first, index(i * lanes)) for i in range(4)]
    return [[part.load_vector(place, lanes) for part in out[:3]] for place in places]


def _codegen(path, many):
    """A row, `many` pixels at a time."""
    _, lanes, _, _, instruction = known(path)

    def codegen(context, builder, signature, args):
        data, tap, quads, y = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 5, 6, 10))
        _, steps, _, at, step, _, _, w, out, first, _, to, o, count, *second = args
        out = fields(context, builder, signature.args[8], out)
        channels, bounds = _channels(builder, out, first, lanes), Bounds(builder, *out[3:6])
        start = [emit_start(builder, b) for b, _, _ in channels]
        own = [emit_own(builder, m0, n) for _, m0, n in channels]
        weights = [w, *(builder.add(w, more) for more in second)]
        with cgutils.for_range_slice(builder, index(0), count, index(many)) as (i, _):
            last = builder.sub(count, index(many))
            pixel = builder.select(builder.icmp_signed("<", i, last), i, last)
            here, there = builder.add(at, builder.mul(pixel, step)), builder.add(to, builder.mul(pixel, o))
            for totals in _emit_sums(builder, path, steps, data, here, tap, quads, weights, start):
                scaled = [emit_scaled(builder, *each) for each in zip(totals, own, strict=True)]
                value = emit_bytes(builder, scaled, bounds, instruction.packs)
                y.store_vector(value, there)
                there = builder.add(there, o)

    return codegen


@intrinsic
def _row(typing, path, steps, data, at, step, tap, quads, w, out, first, y, to, o, count):
    i = types.int64
    return types.void(path, i, data, i, i, tap, quads, i, out, i, y, i, i, i), _codegen(path, 1)


@intrinsic
def _pairs(typing, path, steps, data, at, step, tap, quads, w, out, first, y, to, o, count, second):
    i = types.int64
    return types.void(path, i, data, i, i, tap, quads, i, out, i, y, i, i, i, i), _codegen(path, 2)


tile_sums, row_bytes, pair_rows = _sums, _row, _pairs
if config.DISABLE_JIT:
    tile_sums, row_bytes, pair_rows = _plain_sums, _plain_row, _plain_pairs
