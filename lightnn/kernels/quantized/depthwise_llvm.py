"""One output pixel of a depthwise convolution, for a vector of channels, in LLVM's vector types.

What it computes, for the channels 4*lane + i (lane < lanes, i < 4) of a block, from bytes at `at`:

    s[i, lane] = sum_t  quad(data[at + tap[4t + e] + 4*lane + i], e < 4) . quads[w + (4t + i)*lanes + lane]

    tile_sums    sums[to + i*lanes + lane] = s[i, lane]
    tile_bytes   y[to + 4*lane + i] = s[i, lane], requantized (requantize_llvm.py) with b, m0, n[channel + i*lanes + lane]

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


def _emit_sums(builder, path, steps, data, at, tap, quads, w):
    """Four vectors of sums."""
    _, lanes, _, _, instruction = known(path)
    vector = ir.VectorType(ir.IntType(32), lanes)
    sums = [cgutils.alloca_once_value(builder, ir.Constant(vector, None)) for _ in range(4)]
    start, weights = data.at(at), quads.at(w)
    with cgutils.for_range(builder, steps) as loop:
        first, taps = builder.mul(loop.index, index(4)), []
        for e in range(4):
            address = builder.gep(start, [tap.load(builder.add(first, index(e)))])
            taps.append(builder.load(builder.bitcast(address, vector.as_pointer()), align=1))
        for i, woven in enumerate(_weave(builder, taps)):
            place = builder.mul(builder.add(first, index(i)), index(lanes))
            weight = instruction.split(builder, quads.load_vector(place, lanes, base=weights), True)
            pair = instruction.split(builder, woven, False), weight
            builder.store(instruction.add(builder, builder.load(sums[i]), *pair), sums[i])
    return [builder.load(total) for total in sums]


@intrinsic
def _sums(typing, path, steps, data, at, tap, quads, w, sums, to):
    def codegen(context, builder, signature, args):
        data, tap, quads, sums = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 4, 5, 7))
        totals = _emit_sums(builder, path, args[1], data, args[3], tap, quads, args[6])
        for i, total in enumerate(totals):
            sums.store_vector(total, builder.add(args[8], index(i * total.type.count)))

    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, sums, i), codegen


@intrinsic
def _bytes(typing, path, steps, data, at, tap, quads, w, out, channel, y, to):
    def codegen(context, builder, signature, args):
        data, tap, quads, y = (Flat(context, builder, signature.args[k], args[k]) for k in (2, 4, 5, 9))
        totals = _emit_sums(builder, path, args[1], data, args[3], tap, quads, args[6])
        lanes, parts = totals[0].type.count, fields(context, builder, signature.args[7], args[7])
        bounds = [splat(builder, builder.trunc(bound, ir.IntType(32)), lanes) for bound in parts[3:6]]
        whole = None
        for i, total in enumerate(totals):
            place = builder.add(args[8], index(i * lanes))
            byte = emit_clamped(builder, total, [part.load_vector(place, lanes) for part in parts[:3]], bounds)
            moved = builder.shl(byte, ir.Constant(byte.type, [8 * i] * lanes))
            whole = moved if whole is None else builder.or_(whole, moved)
        y.store_vector(builder.bitcast(whole, ir.VectorType(ir.IntType(8), 4 * lanes)), args[10])

    i = types.int64
    return types.void(path, i, data, i, tap, quads, i, out, i, y, i), codegen


tile_sums, tile_bytes = (_plain_sums, _plain_bytes) if config.DISABLE_JIT else (_sums, _bytes)
