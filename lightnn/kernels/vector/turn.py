"""Turning: rows become columns. V vectors of V numbers are transposed in registers.

What it computes, on flat arrays, each with its start and the distance between its rows:

    registers   V vectors of V numbers, transposed
    block       to[j, i] = source[i, j]                                   i, j < V
    matrix      to[j, i] = source[i, j]                                   any number of rows and columns
    to_lanes    to[slot[q] + lane] = source[lane, q]                      V planes side by side: one in each lane
    from_lanes  to[lane, q] = source[slot[q] + lane]                      and back

How memory is walked. V numbers of V rows at a time are read, turned and written as V vectors. The last block of a row
ends at its last number and overlaps the one before.

Why it is fast. Turning V*V numbers takes V*log2(V) shuffles, under a third of a cycle a number. Arithmetic intensity 0.
With NUMBA_DISABLE_JIT=1 the plain versions run.
"""

from numba import config, njit, types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, index, int32s

# ---- plain versions ----


def _plain_block(to, to_at, to_stride, source, source_at, source_stride):
    lanes = VECTOR_BYTES // to.itemsize
    for i in range(lanes):
        row = source[source_at + i * source_stride :][:lanes]
        to[to_at + i :: to_stride][:lanes] = row


def _plain_to_lanes(to, slot, source, at, stride, count):
    for lane in range(VECTOR_BYTES // source.itemsize):
        start = at + lane * stride
        to[slot[:count] + lane] = source[start : start + count]


def _plain_from_lanes(to, at, stride, source, slot, count):
    for lane in range(VECTOR_BYTES // source.itemsize):
        start = at + lane * stride
        to[start : start + count] = source[slot[:count] + lane]


# ---- in LLVM vectors ----


def weave(builder, rows, rounds):
    """Weave vectors r and r + n/2 of n together, number by number, in each round: the numbers of all, counted through,
    move to places whose binary digits are turned to the left by one."""
    n, lanes = len(rows), rows[0].type.count
    low = int32s([i for pair in zip(range(lanes // 2), range(lanes, lanes + lanes // 2), strict=True) for i in pair])
    high = int32s(
        [i for pair in zip(range(lanes // 2, lanes), range(lanes + lanes // 2, 2 * lanes), strict=True) for i in pair]
    )
    for _ in range(rounds):
        pairs = [(rows[r], rows[r + n // 2]) for r in range(n // 2)]
        rows = [builder.shuffle_vector(a, b, half) for a, b in pairs for half in (low, high)]
    return rows


def registers(builder, rows):
    """Transpose V vectors of V numbers: log2(V) rounds, each weaving rows r and r + V/2 together."""
    return weave(builder, rows, len(rows).bit_length() - 1)


@intrinsic
def _block(typing_context, to, to_at, to_stride, source, source_at, source_stride):
    def codegen(context, builder, signature, args):
        target, origin = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 3))
        lanes = [index(i) for i in range(origin.lanes)]
        rows = [origin.load_vector(builder.add(args[4], builder.mul(args[5], i))) for i in lanes]
        for j, row in zip(lanes, registers(builder, rows), strict=True):
            target.store_vector(row, builder.add(args[1], builder.mul(args[2], j)))

    i = types.int64
    return types.void(to, i, i, source, i, i), codegen


@intrinsic
def _block_to_lanes(typing_context, to, slot, source, at, stride, q):
    def codegen(context, builder, signature, args):
        target, slots, origin = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 1, 2))
        start, lanes = builder.add(args[3], args[5]), [index(i) for i in range(origin.lanes)]
        rows = [origin.load_vector(builder.add(start, builder.mul(args[4], i))) for i in lanes]
        for i, row in zip(lanes, registers(builder, rows), strict=True):
            target.store_vector(row, slots.load(builder.add(args[5], i)))

    return types.void(to, slot, source, types.int64, types.int64, types.int64), codegen


@intrinsic
def _block_from_lanes(typing_context, to, at, stride, source, slot, q):
    def codegen(context, builder, signature, args):
        target, origin, slots = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 3, 4))
        start, lanes = builder.add(args[1], args[5]), [index(i) for i in range(origin.lanes)]
        rows = [origin.load_vector(slots.load(builder.add(args[5], i))) for i in lanes]
        for i, row in zip(lanes, registers(builder, rows), strict=True):
            target.store_vector(row, builder.add(start, builder.mul(args[2], i)))

    return types.void(to, types.int64, types.int64, source, slot, types.int64), codegen


@njit(cache=True, nogil=True)
def _to_lanes(to, slot, source, at, stride, count):
    lanes = VECTOR_BYTES // source.itemsize
    for q in range(0, count - lanes, lanes):
        _block_to_lanes(to, slot, source, at, stride, q)
    _block_to_lanes(to, slot, source, at, stride, count - lanes)


@njit(cache=True, nogil=True)
def _from_lanes(to, at, stride, source, slot, count):
    lanes = VECTOR_BYTES // source.itemsize
    for q in range(0, count - lanes, lanes):
        _block_from_lanes(to, at, stride, source, slot, q)
    _block_from_lanes(to, at, stride, source, slot, count - lanes)


if config.DISABLE_JIT:
    block, to_lanes, from_lanes = _plain_block, _plain_to_lanes, _plain_from_lanes
else:
    block, to_lanes, from_lanes = _block, _to_lanes, _from_lanes


@njit(cache=True, nogil=True)
def matrix(to, to_at, to_stride, source, source_at, source_stride, rows, columns):
    """to[j, i] = source[i, j] for i < rows, j < columns: in whole blocks where there is room for one."""
    lanes = VECTOR_BYTES // to.itemsize
    if rows < lanes or columns < lanes:
        for i in range(rows):
            for j in range(columns):
                to[to_at + j * to_stride + i] = source[source_at + i * source_stride + j]
        return
    for i in range(0, rows, lanes):
        i = min(i, rows - lanes)
        for j in range(0, columns, lanes):
            j = min(j, columns - lanes)
            there, here = to_at + j * to_stride + i, source_at + i * source_stride + j
            block(to, there, to_stride, source, here, source_stride)
