"""Activations that are more than a clamp, applied to numbers that have just been written.

    HARDSWISH     x min(max(x + 3, 0), 6) / 6        SILU      x / (1 + exp(-x))
    HARDSIGMOID   min(max(x + 3, 0), 6) / 6          SIGMOID   1 / (1 + exp(-x))

Why it is fast. The numbers are still in the first-level cache. exp is a polynomial in vectors instead of a call of the
C library for each number: x = n ln 2 + r with |r| <= ln 2 / 2, exp(x) = 2^n p(r), p the Taylor sum of eight terms,
whose error is below float32's rounding.
"""

import math

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

NONE, HARDSWISH, HARDSIGMOID, SILU, SIGMOID = range(5)
_LOG2E, _HIGH, _LOW = np.float32(1 / math.log(2)), np.float32(0.693359375), np.float32(-2.12194440e-4)  # ln 2 in two
_C2, _C3, _C4, _C5, _C6, _C7 = (np.float32(1 / math.factorial(i)) for i in range(2, 8))
_ONE, _ZERO, _THREE, _SIX, _SIXTH = (np.float32(v) for v in (1, 0, 3, 6, 1 / 6))
_MOST = np.float32(87.0)  # exp of more is close to float32's largest number


def _plain_power(n):
    return np.float32(2.0 ** int(n))


@intrinsic
def _power(typing_context, n):
    def emit(context, builder, signature, args):
        bits = builder.shl(builder.add(args[0], ir.Constant(ir.IntType(32), 127)), ir.Constant(ir.IntType(32), 23))
        return builder.bitcast(bits, ir.FloatType())

    return types.float32(types.int32), emit


power = _plain_power if config.DISABLE_JIT else _power  # 2^n of an int32 from -126 to 127


@njit(cache=True, nogil=True, error_model="numpy")
def exp(x):
    """exp of a float32 from -87 to 87; beyond these, that of the nearest of them. NaN stays NaN."""
    kept = _MOST if x > _MOST else x
    kept = -_MOST if kept < -_MOST else kept
    n = np.float32(np.floor(kept * _LOG2E + np.float32(0.5)))
    n = _ZERO if n != n else n
    r = kept - n * _HIGH - n * _LOW
    p = _C7
    p = p * r + _C6
    p = p * r + _C5
    p = p * r + _C4
    p = p * r + _C3
    p = p * r + _C2
    p = p * r + _ONE
    p = p * r + _ONE
    return p * power(np.int32(n))


@njit(cache=True, nogil=True, error_model="numpy")
def apply(kind, memory, at, count):
    """memory[at : at + count] = f(memory[at : at + count]). A loop over a slice: of an index that might be negative the
    compiler makes no vectors."""
    part = memory[at : at + count]
    if kind == SILU:
        for i in range(len(part)):
            part[i] = part[i] / (_ONE + exp(-part[i]))
    elif kind == SIGMOID:
        for i in range(len(part)):
            part[i] = _ONE / (_ONE + exp(-part[i]))
    elif kind == HARDSWISH:
        for i in range(len(part)):
            gate = part[i] + _THREE
            gate = _ZERO if gate < _ZERO else gate
            part[i] = part[i] * (_SIX if gate > _SIX else gate) * _SIXTH
    elif kind == HARDSIGMOID:
        for i in range(len(part)):
            gate = part[i] + _THREE
            gate = _ZERO if gate < _ZERO else gate
            part[i] = (_SIX if gate > _SIX else gate) * _SIXTH
