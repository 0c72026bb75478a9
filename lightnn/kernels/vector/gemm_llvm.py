"""The tile of gemm.py in LLVM's vector types: the same sums, one instruction a vector.

Numba turns a Python loop into scalar code and leaves it to LLVM to find vectors. LLVM finds them in simple loops, but
it does not keep a block of 8 x 3 vectors in registers. So the loop is written here as LLVM instructions, which
`_emit_tile` appends to the function that calls `tile`. Read gemm.py first: its `_plain_tile` says what these
instructions compute.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, fields, index, keep_steps_apart, multiply_add


def vector_tile(rows, vectors, part=1):
    """gemm's tile of `rows` x `vectors` as an intrinsic: Numba puts its code in the place of the call. With part=2 a
    vector is half of one."""

    @intrinsic
    def tile(typing, depth, left, right, at, c, c_stride, add):
        signature = types.void(types.int64, left, right, at, c, types.int64, types.boolean)
        return signature, lambda *args: _emit_tile(*args, rows, vectors, part)

    return tile


def _emit_tile(context, builder, signature, args, rows, vectors, part):
    """The loop over the steps. Each sum is an alloca, a local variable that LLVM keeps in a register."""
    a, a_row, a_step = fields(context, builder, signature.args[1], args[1])
    b, b_step = fields(context, builder, signature.args[2], args[2])
    at_a, at_row, at_step, at_b, at_c = fields(context, builder, signature.args[3], args[3])
    depth, c, c_stride, add = args[0], Flat(context, builder, signature.args[4], args[4]), args[5], args[6]
    left = [a.at(builder.add(at_a, a_row.load(builder.add(at_row, index(r))))) for r in range(rows)]
    right, a_steps, b_steps = b.at(at_b), a_step.at(at_step), b_step.at(at_step)
    starts = [builder.add(at_c, builder.mul(c_stride, index(r))) for r in range(rows)]
    width = c.lanes // part
    places = {(r, v): builder.add(starts[r], index(v * width)) for r in range(rows) for v in range(vectors)}
    vector = ir.VectorType(c.scalar, width)
    sums = {place: cgutils.alloca_once(builder, vector) for place in places}
    for place in places:
        builder.store(ir.Constant(vector, None), sums[place])
    with builder.if_then(add):
        for place, address in places.items():
            builder.store(c.load_vector(address, width), sums[place])
    fma = multiply_add(builder, vector)
    with cgutils.for_range(builder, depth) as loop:
        t = b_step.load(loop.index, b_steps)
        row_b = [b.load_vector(builder.add(t, index(v * width)), width, base=right) for v in range(vectors)]
        t = a_step.load(loop.index, a_steps)
        for r in range(rows):
            number = c.splat(a.load(t, left[r]), width)
            for v in range(vectors):
                builder.store(builder.call(fma, [number, row_b[v], builder.load(sums[r, v])]), sums[r, v])
        keep_steps_apart(builder)
    for place, address in places.items():
        c.store_vector(builder.load(sums[place]), address)
