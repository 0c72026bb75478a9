"""Four runs of bytes woven into quads: to[i] = (a[i], b[i], c[i], d[i]), the bytes that one 32-bit integer holds.

What it computes, on flat arrays, each run from a start of its own in `source` (uint8 or int8):

    weave4          quad to_at + i of `to` = source[a + i], source[b + i], source[c + i], source[d + i]
    weave4_seconds  the same of every second byte: source[a + 2i], ...      (reads one byte beyond the last)

`to` is uint32 or int32.

How memory is walked. Forward, 16 bytes of each run at a time. As in vector/simd.py the last group ends at the last byte
and overlaps the one before, so nothing outside the runs is touched.

Why it is fast. Two rounds of shuffles turn 4 x 16 bytes into one vector of 16 quads: bytes of a with b and c with d,
then pairs with pairs. Arithmetic intensity 0. With NUMBA_DISABLE_JIT=1 the plain version runs.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, in_groups, index, int32s


def _plain_weaver(step):
    def weave(to, to_at, source, a, b, c, d, count):
        for byte, start in enumerate((a, b, c, d)):
            seen = source[start : start + step * count : step]
            to[to_at : to_at + count].view(np.uint8)[byte::4] = seen.view(np.uint8)

    return weave


def _interleave(builder, a, b):
    """a[0], b[0], a[1], b[1], ..."""
    n = a.type.count
    return builder.shuffle_vector(a, b, int32s([k for i in range(n) for k in (i, n + i)]))


def _weaver(step):
    @intrinsic
    def weave(typing_context, to, to_at, source, a, b, c, d, count):
        def codegen(context, builder, signature, args):
            target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))

            def load(start, i, width):
                seen = origin.load_vector(builder.add(start, builder.mul(i, index(step))), step * width)
                return builder.shuffle_vector(seen, seen, int32s(range(0, step * width, step)))

            def emit(i, width, last):
                runs = [load(start, i, width) for start in args[3:7]]
                pairs = ir.VectorType(ir.IntType(16), width)
                low, high = (builder.bitcast(_interleave(builder, *runs[k : k + 2]), pairs) for k in (0, 2))
                quads = builder.bitcast(_interleave(builder, low, high), ir.VectorType(ir.IntType(32), width))
                target.store_vector(quads, builder.add(args[1], i))

            in_groups(builder, args[7], emit)

        place = types.int64
        return types.void(to, place, source, place, place, place, place, place), codegen

    return weave


_make = _plain_weaver if config.DISABLE_JIT else _weaver
weave4, weave4_seconds = _make(1), _make(2)
