"""One or two output pixels of a depthwise convolution, for a vector of channels, in LLVM's vector types.

What it computes, for the channels 4*lane + i (lane < lanes, i < 4) of a block, from bytes at `at`:

    s[i, lane] = sum_t  quad(data[at + tap[4t + e] + 4*lane + i], e < 4) . quads[w + (4t + i)*lanes + lane]

    tile_sums    sums[to + i*lanes + lane] = s[i, lane]
    tile_bytes   y[to + 4*lane + i] = s[i, lane], requantized (requantize_llvm.py), with b of channel + i*lanes + lane
    pair_bytes   the same, and at to + o with the weights from w + second on: the next pixel, whose window is seen in
                 the same quads when the stride is 1

Why it is fast. Four vectors of bytes, one a tap, become four vectors of quads by shifts and masks alone: each 32-bit
lane is a 4 x 4 matrix of bytes, which is turned in two rounds.

    tap 0   a0 b0 c0 d0                 a0 a1 c0 c1                  a0 a1 a2 a3
    tap 1   a1 b1 c1 d1   bytes, pairs  b0 b1 d0 d1   halves, pairs  b0 b1 b2 b3
    tap 2   a2 b2 c2 d2       ->        a2 a3 c2 c3        ->        c0 c1 c2 c3
    tap 3   a3 b3 c3 d3                 b2 b3 d2 d3                  d0 d1 d2 d3

So channel 4*lane + i is in lane `lane` of vector i; put back together, the bytes of four vectors are four shifts.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.quantized.quads import known, numbers_of
from lightnn.kernels.quantized.requantize import scaled
from lightnn.kernels.quantized.requantize_llvm import emit_clamped
from lightnn.kernels.vector.simd import Flat, fields, index, splat


def _plain_sums(path, steps, data, at, tap, quads, w, sums, to):
    size = 4 * path.lanes
    pixels = data[at + tap[: 4 * steps].reshape(steps, 4, 1) + np.arange(size)].astype(np.int64)
    weights = numbers_of(quads[w : w + steps * size]).reshape(steps, 4, path.lanes, 4)
    total = np.einsum("teli,tile->il", pixels.reshape(steps, 4, path.lanes, 4), weights)
    sums[to : to + size] = total.reshape(-1)


def _plain_pair(path, steps, data, at, tap, quads, w, out, channel, y, to, second, o):
    _plain_bytes(path, steps, data, at, tap, quads, w, out, channel, y, to)
    _plain_bytes(path, steps, data, at, tap, quads, w + second, out, channel, y, to + o)


def _plain_bytes(path, steps, data, at, tap, quads, w, out, channel, y, to):
    size = 4 * path.lanes
    sums = np.empty(size, np.int64)
    _plain_sums(path, steps, data, at, tap, quads, w, sums, 0)
    b, m0, n = (part[channel : channel + size].astype(np.int64) for part in (out.b, out.m0, out.n))
    moved = np.clip(out.zero + scaled(sums + b, m0, n), out.low, out.high)
    y[to : to + size] = moved.reshape(4, -1).T.reshape(-1)


def _pair(builder, a, b, shift):
    """(the low parts of a and b, the high parts), each `shift` bits wide: of a below, of b above."""
    low = sum(((1 << shift) - 1) << at for at in range(0, 32, 2 * shift))
    bits, low = ir.Constant(a.type, [shift] * a.type.count), ir.Constant(a.type, [low] * a.type.count)
    high = builder.not_(low)
    lows = builder.or_(builder.and_(a, low), builder.and_(builder.shl(b, bits), high))
    return lows, builder.or_(builder.and_(builder.lshr(a, bits), low), builder.and_(b, high))


def _weave(builder, taps):
    (a, b), (c, d) = _pair(builder, *taps[:2], 8), _pair(builder, *taps[2:], 8)
    (first, third), (second, fourth) = _pair(builder, a, c, 16), _pair(builder, b, d, 16)
    return first, second, third, fourth


def _emit_sums(builder, path, steps, data, at, tap, quads, starts):
    """Four vectors of sums for each start of weights."""
    _, lanes, _, _, instruction = known(path)
    vector = ir.VectorType(ir.IntType(32), lanes)
    sums = [[cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(4)] for _ in starts]
    start, weights = data.at(at), [quads.at(w) for w in starts]
    with cgutils.for_range(builder, steps) as loop:
        first, taps = builder.mul(loop.index, index(4)), []
        for e in range(4):
            address = builder.gep(start, [tap.load(builder.add(first, index(e)))])
            taps.append(builder.load(builder.bitcast(address, vector.as_pointer()), align=1))
        for i, woven in enumerate(_weave(builder, taps)):
            place = builder.mul(builder.add(first, index(i)), index(lanes))
            woven = instruction.split(builder, woven, False)
            for w, own in zip(weights, sums, strict=True):
                weight = instruction.split(builder, quads.load_vector(place, lanes, base=w), True)
                builder.store(instruction.add(builder, builder.load(own[i]), woven, weight), own[i])
    return [[builder.load(total) for total in own] for own in sums]


@intrinsic
def _sums(typing, path, steps, data, at, tap, quads, w, sums, to):
    def codegen(context, builder, signature, args):
        data, tap, quads, sums = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 4, 5, 7))
        [totals] = _emit_sums(builder, path, args[1], data, args[3], tap, quads, args[6:7])
        for i, total in enumerate(totals):
            sums.store_vector(total, builder.add(args[8], index(i * total.type.count)))

    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, sums, i), codegen


def _emit_bytes(builder, totals, out, channel):
    """A vector of bytes of four vectors of sums; out: the fields of an Output."""
    lanes = totals[0].type.count
    bounds = [splat(builder, builder.trunc(bound, ir.IntType(32)), lanes) for bound in out[3:6]]
    whole = None
    for i, total in enumerate(totals):
        place = builder.add(channel, index(i * lanes))
        byte = emit_clamped(builder, total, [part.load_vector(place, lanes) for part in out[:3]], bounds)
        moved = builder.shl(byte, ir.Constant(byte.type, [8 * i] * lanes))
        whole = moved if whole is None else builder.or_(whole, moved)
    return builder.bitcast(whole, ir.VectorType(ir.IntType(8), 4 * lanes))


def _codegen(path, many):
    def codegen(context, builder, signature, args):
        data, tap, quads, y = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 4, 5, 9))
        _, steps, _, at, _, _, w, out, channel, _, to, *next_ = args
        out = fields(context, builder, signature.args[7], out)
        second, o = next_ or (index(0), index(0))
        starts = [w, builder.add(w, second)][:many]
        for totals in _emit_sums(builder, path, steps, data, at, tap, quads, starts):
            y.store_vector(_emit_bytes(builder, totals, out, channel), to)
            to = builder.add(to, o)

    return codegen


@intrinsic
def _bytes(typing, path, steps, data, at, tap, quads, w, out, channel, y, to):
    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, out, i, y, i), _codegen(path, 1)


@intrinsic
def _pair_bytes(typing, path, steps, data, at, tap, quads, w, out, channel, y, to, second, o):
    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, out, i, y, i, i, i), _codegen(path, 2)


tile_sums, tile_bytes, pair_bytes = _sums, _bytes, _pair_bytes
if config.DISABLE_JIT:
    tile_sums, tile_bytes, pair_bytes = _plain_sums, _plain_bytes, _plain_pair
