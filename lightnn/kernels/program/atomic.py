"""Counters that several threads change, on a flat int64 array.

take(counters, i)      the counter's value, which is one more afterwards; no two threads get the same
read(counters, i)      its value, and all that was written before the counter got it
rest(tries)            wait a little: a pause of the processor, now and then one of the thread
"""

import sys

import llvmlite.binding as llvm
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import Flat, index, keep_steps_apart

PAUSE, FEATURES = "sse2", [name for name, there in llvm.get_host_cpu_features().items() if there]
SPINS = 400  # pauses between two offers of the processor to other threads


def _plain_take(counters, i):
    counters[i] += 1
    return counters[i] - 1


def _plain_read(counters, i):
    return counters[i]


def _plain_rest(tries):
    pass


@intrinsic
def _take(typing_context, counters, i):
    def emit(context, builder, signature, args):
        place = Flat(context, builder, signature.args[0], args[0]).at(args[1])
        return builder.atomic_rmw("add", place, index(1), "seq_cst")

    return types.int64(counters, types.int64), emit


@intrinsic
def _read(typing_context, counters, i):
    def emit(context, builder, signature, args):
        place = Flat(context, builder, signature.args[0], args[0]).at(args[1])
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(counters, types.int64), emit


@intrinsic
def _rest(typing_context, tries):
    def emit(context, builder, signature, args):
        if PAUSE in FEATURES:
            kind = ir.FunctionType(ir.VoidType(), [])
            builder.call(_declared(builder.module, kind, "llvm.x86.sse2.pause"), [])
        else:
            keep_steps_apart(builder)
        if sys.platform != "win32":
            often = builder.icmp_unsigned("==", builder.urem(args[0], index(SPINS)), index(SPINS - 1))
            with builder.if_then(often, likely=False):
                kind = ir.FunctionType(ir.IntType(32), [])
                builder.call(_declared(builder.module, kind, "sched_yield"), [])

    return types.void(types.int64), emit


def _declared(module, kind, name):
    return module.globals.get(name) or ir.Function(module, kind, name)


if config.DISABLE_JIT:
    take, read, rest = _plain_take, _plain_read, _plain_rest
else:
    take, read, rest = _take, _read, _rest
