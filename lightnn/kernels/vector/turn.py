"""Planes turned to lie side by side: V channels, one in each lane of a vector, and back.

What it computes, on flat arrays, for n places p of V planes that lie `stride` apart:

    spread     to[slot[p] + lane] = source[at + lane*stride + p]
    gather     to[at + lane*stride + p] = source[slot[p] + lane]
    turned     the transpose of V vectors of V numbers, in registers

How memory is walked. V numbers of V planes at a time are read, turned in registers and written as V vectors, each to
its slot; the last block of a plane ends at its last number and overlaps the one before.

Why it is fast. Turning V*V numbers takes V*log2(V) shuffles, under a third of a cycle a number. Arithmetic intensity 0.
With NUMBA_DISABLE_JIT=1 the plain versions run.
"""

from numba import config, njit, types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, index, int32s

# ---- plain versions ----


def _plain_spread(to, slot, source, at, stride, count):
    for lane in range(VECTOR_BYTES // source.itemsize):
        start = at + lane * stride
        to[slot[:count] + lane] = source[start : start + count]


def _plain_gather(to, at, stride, source, slot, count):
    for lane in range(VECTOR_BYTES // source.itemsize):
        start = at + lane * stride
        to[start : start + count] = source[slot[:count] + lane]


# ---- in LLVM vectors ----


def turned(builder, rows):
    """Transpose V vectors of V numbers: log2(V) rounds, each weaving rows k and k + V/2 together."""
    n = len(rows)
    low = int32s([k for pair in zip(range(n // 2), range(n, n + n // 2), strict=True) for k in pair])
    high = int32s([k for pair in zip(range(n // 2, n), range(n + n // 2, 2 * n), strict=True) for k in pair])
    for _ in range(n.bit_length() - 1):
        pairs = [(rows[k], rows[k + n // 2]) for k in range(n // 2)]
        rows = [builder.shuffle_vector(a, b, half) for a, b in pairs for half in (low, high)]
    return rows


@intrinsic
def _spread_block(typing_context, to, slot, source, at, stride, p):
    def codegen(context, builder, signature, args):
        target, slots, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 1, 2))
        start, places = builder.add(args[3], args[5]), [index(k) for k in range(origin.lanes)]
        rows = [origin.load_vector(builder.add(start, builder.mul(args[4], k))) for k in places]
        for k, row in zip(places, turned(builder, rows), strict=True):
            target.store_vector(row, slots.load(builder.add(args[5], k)))

    return types.void(to, slot, source, types.int64, types.int64, types.int64), codegen


@intrinsic
def _gather_block(typing_context, to, at, stride, source, slot, p):
    def codegen(context, builder, signature, args):
        target, origin, slots = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 3, 4))
        start, places = builder.add(args[1], args[5]), [index(k) for k in range(origin.lanes)]
        rows = [origin.load_vector(slots.load(builder.add(args[5], k))) for k in places]
        for k, row in zip(places, turned(builder, rows), strict=True):
            target.store_vector(row, builder.add(start, builder.mul(args[2], k)))

    return types.void(to, types.int64, types.int64, source, slot, types.int64), codegen


@njit(cache=True, nogil=True)
def _spread(to, slot, source, at, stride, count):
    lane_count = VECTOR_BYTES // source.itemsize
    for p in range(0, count - lane_count, lane_count):
        _spread_block(to, slot, source, at, stride, p)
    _spread_block(to, slot, source, at, stride, count - lane_count)


@njit(cache=True, nogil=True)
def _gather(to, at, stride, source, slot, count):
    lane_count = VECTOR_BYTES // source.itemsize
    for p in range(0, count - lane_count, lane_count):
        _gather_block(to, at, stride, source, slot, p)
    _gather_block(to, at, stride, source, slot, count - lane_count)


if config.DISABLE_JIT:
    spread, gather = _plain_spread, _plain_gather
else:
    spread, gather = _spread, _gather
