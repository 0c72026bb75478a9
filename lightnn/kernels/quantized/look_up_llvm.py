"""Adding entries of tables to a vector of sums, in LLVM's vector types.

What it computes, on flat arrays, for LANES sums and TOGETHER tables of k numbers that lie one after another:

    y[y_at + l] += sum_b t[b k + codes[code_at + b apart + l]]        b < TOGETHER, l < LANES

How memory is walked. The codes of a table come in one load, its entries in one gather, and the sum is loaded and stored
once for all tables.

Why it is fast. A compiler does not gather here, as it can't know that no sum is an entry of a table. With AVX-512 a
gather fetches 16 float32, about two a cycle from the first-level cache; elsewhere, and for float64, numbers are fetched
one by one.

With NUMBA_DISABLE_JIT=1 the plain version runs.
"""

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, int32

LANES, TOGETHER = 16, 8
GATHERS = bool(llvm.get_host_cpu_features().get("avx512f"))
CODES = ir.VectorType(ir.IntType(32), LANES)


def _plain_add_entries(y, y_at, t, k, codes, code_at, apart):
    for lane in range(LANES):
        entries = [t[b * k + int(codes[code_at + b * apart + lane])] for b in range(TOGETHER)]
        while len(entries) > 1:
            entries = [one + other for one, other in zip(entries[::2], entries[1::2], strict=True)]
        y[y_at + lane] += entries[0]


def _gathered(builder, table, codes):
    """The entries of a table, whose address is given, in one instruction of AVX-512."""
    bytes_at, flags = ir.IntType(8).as_pointer(), ir.VectorType(ir.IntType(1), LANES)
    vector = ir.VectorType(ir.FloatType(), LANES)
    kind = ir.FunctionType(vector, [vector, bytes_at, CODES, flags, ir.IntType(32)])
    gather = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512.mask.gather.dps.512")
    every, nothing = ir.Constant(flags, [1] * LANES), ir.Constant(vector, [0.0] * LANES)
    return builder.call(gather, [nothing, builder.bitcast(table, bytes_at), codes, every, int32(4)])


def _fetched(builder, scalar, table, codes):
    """The same one by one."""
    entries = ir.Constant(ir.VectorType(scalar, LANES), ir.Undefined)
    for lane in range(LANES):
        entry = builder.load(builder.gep(table, [builder.extract_element(codes, int32(lane))]))
        entries = builder.insert_element(entries, entry, int32(lane))
    return entries


@intrinsic
def _add_entries(typing_context, y, y_at, t, k, codes, code_at, apart):
    def codegen(context, builder, signature, args):
        sums, tables, numbers = (Flat(context, builder, signature.args[i], args[i]) for i in (0, 2, 4))
        _, y_at, _, k, _, code_at, apart = args
        entries = []
        for b in range(TOGETHER):
            at = builder.add(code_at, builder.mul(apart, index(b)))
            wide = builder.zext(numbers.load_vector(at, LANES), CODES)
            table = tables.at(builder.mul(k, index(b)))
            if GATHERS and tables.size == 4:
                entries.append(_gathered(builder, table, wide))
            else:
                entries.append(_fetched(builder, tables.scalar, table, wide))
        while len(entries) > 1:
            entries = [builder.fadd(one, other) for one, other in zip(entries[::2], entries[1::2], strict=True)]
        sums.store_vector(builder.fadd(sums.load_vector(y_at, LANES), entries[0]), y_at)

    return types.void(y, types.int64, t, types.int64, codes, types.int64, types.int64), codegen


add_entries = _plain_add_entries if config.DISABLE_JIT else _add_entries
