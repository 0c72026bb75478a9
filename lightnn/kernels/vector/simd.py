"""Moving numbers about in vectors: the loops that a compiler does not find by itself, written in LLVM's vector types.

What it computes, on flat arrays:

    copy          to[: count] = source[: count]                     a few numbers: the row of an image
    copy_vector   the same for exactly V numbers                    one load and one store
    move          the same, by the C library's memcpy               many numbers: a plane
    pick          to[: count] = source[: s*count : s]               every s-th number, in vectors for s = 1 and 2
    weave         to[: 2*count : 2] = a[: count], to[1 : 2*count : 2] = b[: count]

each array from a start of its own (to_at, source_at, ...).

How memory is walked. Forward, V numbers (one vector register) at a time. The last vector of a run ends at its last
number and overlaps the one before, so nothing outside the run is touched.

Why it is fast. A short run is two overlapping vectors instead of a loop over single numbers. Arithmetic intensity 0:
these loops surround the arithmetic, and must not cost more than it does.

With NUMBA_DISABLE_JIT=1 the plain versions run.
"""

import contextlib

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

_FEATURES = llvm.get_host_cpu_features()
VECTOR_BYTES = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx2") else 16


def lanes(dtype):
    """V, the numbers in a vector register: 16 float32 with AVX-512."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


# ---- plain versions ----


def _plain_copy(to, to_at, source, source_at, count):
    to[to_at : to_at + count] = source[source_at : source_at + count]


def _plain_copy_vector(to, to_at, source, source_at):
    _plain_copy(to, to_at, source, source_at, lanes(to.dtype))


def _plain_pick(to, to_at, source, source_at, count, step):
    to[to_at : to_at + count] = source[source_at : source_at + step * count : step]


def _plain_weave(to, to_at, a, a_at, b, b_at, count):
    to[to_at : to_at + 2 * count : 2] = a[a_at : a_at + count]
    to[to_at + 1 : to_at + 2 * count : 2] = b[b_at : b_at + count]


# ---- in LLVM vectors ----


class Flat:
    """A contiguous Numba array seen from LLVM: loads and stores of `width` numbers at an element index."""

    def __init__(self, context, builder, array_type, array):
        self.builder = builder
        self.data = context.make_array(array_type)(context, builder, array).data
        self.scalar = context.get_data_type(array_type.dtype)
        self.size = array_type.dtype.bitwidth // 8
        self.lanes = VECTOR_BYTES // self.size

    def at(self, index):
        """The address of an element."""
        return self.builder.gep(self.data, [index])

    def load(self, index, base=None):
        """The element at `index` from the array's start, or from an address `base`."""
        return self.builder.load(self.builder.gep(base or self.data, [index]))

    def store(self, value, index):
        self.builder.store(value, self.at(index))

    def _vector_at(self, index, width, base=None):
        pointer = ir.VectorType(self.scalar, width).as_pointer()
        return self.builder.bitcast(self.builder.gep(base or self.data, [index]), pointer)

    def load_vector(self, index, width=None, base=None):
        return self.builder.load(self._vector_at(index, width or self.lanes, base), align=self.size)

    def store_vector(self, value, index):
        self.builder.store(value, self._vector_at(index, value.type.count), align=self.size)

    def splat(self, value, width=None):
        return splat(self.builder, value, width or self.lanes)


def splat(builder, value, width):
    """A vector of `width` times the value."""
    vector = ir.VectorType(value.type, width)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, int32(0))
    return builder.shuffle_vector(one, one, int32s([0] * width))


def fields(context, builder, kind, value):
    """The fields of a Numba NamedTuple: an array as Flat, an integer as it is."""
    parts = [builder.extract_value(value, i) for i in range(len(kind.types))]
    return [
        Flat(context, builder, t, part) if isinstance(t, types.Array) else part
        for t, part in zip(kind.types, parts, strict=True)
    ]


def int32(value):
    return ir.Constant(ir.IntType(32), value)


def int32s(values):
    return ir.Constant(ir.VectorType(ir.IntType(32), len(values)), list(values))


def index(value):
    return ir.Constant(ir.IntType(64), value)


def multiply_add(builder, kind):
    """LLVM's a * b + c on vectors or numbers, one instruction where the host has it."""
    many = isinstance(kind, ir.VectorType)
    scalar, width = (kind.element, f"v{kind.count}") if many else (kind, "")
    name = f"llvm.fmuladd.{width}f{32 if isinstance(scalar, ir.FloatType) else 64}"
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(kind, [kind] * 3), name)


def keep_steps_apart(builder):
    """Emit nothing, but let no load move across: a compiler that loads the next step's numbers early runs out of
    registers and keeps accumulators in memory, which halves the speed of a register-blocked loop."""
    builder.asm(ir.FunctionType(ir.VoidType(), []), "", "~{memory}", (), True)


def in_groups(builder, count, emit):
    """Emit emit(index, width, last) for groups that cover 0..count-1: the widest that fit, then one that ends at the
    last number and may overlap the one before. So no number beyond the run is touched, and short runs take few
    branches."""
    with contextlib.ExitStack() as shorter:
        for width in (16, 8, 4, 2):
            enough = builder.icmp_signed(">", count, index(width))
            then, otherwise = shorter.enter_context(builder.if_else(enough))
            with then:
                last = builder.sub(count, index(width))
                with cgutils.for_range_slice(builder, index(0), last, index(width)) as (i, _):
                    emit(i, width, False)
                emit(last, width, True)
            shorter.enter_context(otherwise)
        with cgutils.for_range(builder, count) as loop:
            emit(loop.index, 1, False)


def _emit_copy(builder, target, to_at, origin, at, count):
    def emit(i, width, last):
        target.store_vector(origin.load_vector(builder.add(at, i), width), builder.add(to_at, i))

    in_groups(builder, count, emit)


def _emit_pick_second(builder, target, to_at, origin, at, count):
    def emit(i, width, last):
        """Of 2 * width numbers keep the even ones; in the last group, which must end with its last number, the odd
        ones."""
        odd = int(last and width > 1)
        both = origin.load_vector(
            builder.sub(builder.add(at, builder.mul(i, index(2))), index(odd)), max(2 * width - 1 + odd, 1)
        )
        kept = builder.shuffle_vector(both, both, int32s(range(odd, odd + 2 * width - 1, 2)))
        target.store_vector(kept, builder.add(to_at, i))

    in_groups(builder, count, emit)


@intrinsic
def _copy(typing_context, to, to_at, source, source_at, count):
    def codegen(context, builder, signature, args):
        target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        _emit_copy(builder, target, args[1], origin, args[3], args[4])

    return types.void(to, types.int64, source, types.int64, types.int64), codegen


@intrinsic
def _copy_vector(typing_context, to, to_at, source, source_at):
    def codegen(context, builder, signature, args):
        target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        target.store_vector(origin.load_vector(args[3]), args[1])

    return types.void(to, types.int64, source, types.int64), codegen


@intrinsic
def _pick(typing_context, to, to_at, source, source_at, count, step):
    def codegen(context, builder, signature, args):
        target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        _, to_at, _, at, count, step = args
        with builder.if_else(builder.icmp_signed("==", step, index(1))) as (each, not_each):
            with each:
                _emit_copy(builder, target, to_at, origin, at, count)
            with not_each, builder.if_else(builder.icmp_signed("==", step, index(2))) as (second, further):
                with second:
                    _emit_pick_second(builder, target, to_at, origin, at, count)
                with further, cgutils.for_range(builder, count) as loop:
                    value = origin.load(builder.add(at, builder.mul(loop.index, step)))
                    target.store(value, builder.add(to_at, loop.index))

    return types.void(to, types.int64, source, types.int64, types.int64, types.int64), codegen


@intrinsic
def _weave(typing_context, to, to_at, a, a_at, b, b_at, count):
    def codegen(context, builder, signature, args):
        target, even, odd = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2, 4))

        def emit(i, width, last):
            left = even.load_vector(builder.add(args[3], i), width)
            right = odd.load_vector(builder.add(args[5], i), width)
            order = int32s([k for pair in zip(range(width), range(width, 2 * width), strict=True) for k in pair])
            woven = builder.shuffle_vector(left, right, order)
            target.store_vector(woven, builder.add(args[1], builder.mul(i, index(2))))

        in_groups(builder, args[6], emit)

    return types.void(to, types.int64, a, types.int64, b, types.int64, types.int64), codegen


@intrinsic
def _move(typing_context, to, to_at, source, source_at, count):
    def emit(context, builder, signature, args):
        target, origin = (Flat(context, builder, signature.args[k], args[k]) for k in (0, 2))
        here, there = builder.gep(target.data, [args[1]]), builder.gep(origin.data, [args[3]])
        cgutils.raw_memcpy(builder, here, there, args[4], target.size)

    return types.void(to, types.int64, source, types.int64, types.int64), emit


if config.DISABLE_JIT:
    copy, move, pick, weave, copy_vector = _plain_copy, _plain_copy, _plain_pick, _plain_weave, _plain_copy_vector
else:
    copy, move, pick, weave, copy_vector = _copy, _move, _pick, _weave, _copy_vector
