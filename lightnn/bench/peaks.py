"""What one core can do at most: loops of nothing but arithmetic in registers, and of nothing but reading.

`arithmetic()` runs CHAINS independent multiply-adds, as many as hide their latency: float32 and float64 in vectors of
several widths; integers of 8 bits by VNNI; 64 signs at a time by xor and popcount. `reading()` loads arrays of growing
size vector by vector; what misses a cache comes from the next level. The least of many short runs counts: other work on
the machine only adds to it. A core without VNNI has no number for it; without the compiler there is none at all.
"""

import time
from collections.abc import Callable

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from lightnn.kernels.vector.simd import VECTOR_BYTES, Flat, index, multiply_add, splat

CHAINS, ROUNDS = 12, 5_000
SIZES = tuple(2**i for i in range(13, 28))  # bytes
_FEATURES = llvm.get_host_cpu_features()


def _chain(kind: ir.Type, step: Callable, width: int):
    """An intrinsic f(rounds, value): `rounds` times CHAINS steps, acc = step(builder, acc, value)."""

    @intrinsic
    def run(typing_context, rounds, value):
        def codegen(context, builder, signature, args):
            vector = ir.VectorType(kind, width) if width > 1 else kind
            start = splat(builder, args[1], width) if width > 1 else args[1]
            held = [cgutils.alloca_once_value(builder, start) for _ in range(CHAINS)]
            with cgutils.for_range(builder, args[0]):
                for place in held:
                    builder.store(step(builder, builder.load(place), start, vector), place)
            total = builder.load(held[0])
            for place in held[1:]:
                now = builder.load(place)
                total = (
                    builder.fadd(total, now)
                    if isinstance(kind, ir.FloatType | ir.DoubleType)
                    else builder.add(total, now)
                )
            return builder.extract_element(total, ir.Constant(ir.IntType(32), 0)) if width > 1 else total

        return value(types.int64, value), codegen

    @numba.njit(nogil=True)
    def call(rounds, value):
        return run(rounds, value)

    return call


def _float_step(builder, acc, value, vector):
    return builder.call(multiply_add(builder, vector), [acc, value, value])


def _vnni_step(builder, acc, value, vector):
    name = "llvm.x86.avx512.vpdpbusd.512"
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector] * 3), name)
    return builder.call(function, [acc, value, value])


def _sign_step(builder, acc, value, vector):
    name = f"llvm.ctpop.v{vector.count}i64"
    count = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector, [vector]), name)
    return builder.add(acc, builder.call(count, [builder.xor(acc, value)]))


def least_seconds(call: Callable[[], object], repeats: int = 100) -> float:
    """CPU seconds of one call on one thread, after one that does not count: while another program has the core, this
    clock stands still."""
    call()
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        call()
        best = min(best, time.process_time() - start)
    return best


def arithmetic(repeats: int = 400) -> dict[str, float]:
    """{"float32 x 16": FLOP/s, ...}: multiplications and additions a second of one core, by type and vector width."""
    found = {}
    for name, kind, bits, value in (
        ("float32", ir.FloatType(), 32, np.float32(0.5)),
        ("float64", ir.DoubleType(), 64, np.float64(0.5)),
    ):
        for width in sorted({1, 128 // bits, 256 // bits, 8 * VECTOR_BYTES // bits}):
            if width * bits <= 8 * VECTOR_BYTES:
                found[f"{name} x {width}"] = 2 * width * _rate(_chain(kind, _float_step, width), value, repeats)
    if _FEATURES.get("avx512vnni"):
        rate = _rate(_chain(ir.IntType(32), _vnni_step, 16), np.int32(0x01010101), repeats)
        found["int8 x 64"] = 2 * 64 * rate
    words = VECTOR_BYTES // 8
    found[f"signs x {64 * words}"] = (
        2 * 64 * words * _rate(_chain(ir.IntType(64), _sign_step, words), np.int64(3), repeats)
    )
    return found


def _rate(call, value, repeats):
    """Vector steps a second."""
    return CHAINS * ROUNDS / least_seconds(lambda: call(ROUNDS, value), repeats)


@intrinsic
def _xor_all(typing_context, a, blocks):
    """The xor of all words of a, in blocks of CHAINS vectors: an instruction that never waits, beside each load."""

    def codegen(context, builder, signature, args):
        words, count = Flat(context, builder, signature.args[0], args[0]), 8 * VECTOR_BYTES // 64
        kind = ir.VectorType(ir.IntType(64), count)
        held = [cgutils.alloca_once_value(builder, ir.Constant(kind, None)) for _ in range(CHAINS)]
        with cgutils.for_range(builder, args[1]) as loop:
            start = builder.mul(loop.index, index(CHAINS * count))
            for i, place in enumerate(held):
                value = words.load_vector(builder.add(start, index(i * count)), count)
                builder.store(builder.xor(builder.load(place), value), place)
        total = builder.load(held[0])
        for place in held[1:]:
            total = builder.xor(total, builder.load(place))
        return builder.extract_element(total, ir.Constant(ir.IntType(32), 0))

    return types.int64(a, types.int64), codegen


@numba.njit(nogil=True)
def _read(a, blocks, times):
    found = 0
    for _ in range(times):
        found += _xor_all(a, blocks)
        a[0] += 1  # so that no pass can be left out
    return found


def reading(sizes: tuple[int, ...] = SIZES, repeats: int = 200) -> dict[int, float]:
    """{bytes of the array: bytes/s} of one core that reads it again and again."""
    found = {}
    block = CHAINS * VECTOR_BYTES
    for size in sizes:
        a, blocks, times = np.ones(size // 8, np.int64), size // block, max(1, 2**19 // size)
        seconds = least_seconds(lambda a=a, b=blocks, n=times: _read(a, b, n), repeats if size < 2**24 else 20)
        found[size] = blocks * block * times / seconds
    return found


def levels() -> dict[str, int]:
    """{"L1": bytes, ...} of the first core's data caches as Linux tells them; empty elsewhere."""
    import pathlib

    found = {}
    for cache in sorted(pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = ((cache / name).read_text().strip() for name in ("type", "level", "size"))
        if kind != "Instruction" and size.endswith("K"):
            found[f"L{level}"] = 1024 * int(size[:-1])
    return found
