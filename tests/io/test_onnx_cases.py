"""ONNX's own test cases of its quantized operators, which come with the package onnx: our definitions, and the kernels
of bytes where their operands fit, give the outputs that each case expects.

The library's codes have 2 to 8 bits, one scale for a tensor or for each of its channels, and float32 outside. A case
about anything else is skipped with the reason, and the number of cases of each reason is asserted.

Kernels: lightnn.kernels.quantized.product.matmul and requantize.requantize, gemmlowp's fixed point.
"""

import collections
import importlib
import inspect
from typing import NamedTuple

import numpy as np
import pytest

from lightnn.functional import plain
from lightnn.functional.quantize import affine_dequantize, affine_quantize
from lightnn.kernels.quantized import conv, requantize

onnx = pytest.importorskip("onnx")
pytestmark = pytest.mark.oracle
ZERO = np.uint8(0)  # where a case gives no zero point


class Case(NamedTuple):
    """One node with inputs by name, its attributes, and the output that is expected."""

    name: str
    operator: str
    inputs: dict
    options: dict
    y: np.ndarray


def cases_of(operator):
    """The cases of onnx.backend.test for one operator: what its methods give to `expect`."""
    module, found = importlib.import_module(f"onnx.backend.test.case.node.{operator.lower()}"), []

    def expect(node, inputs, outputs, name, **_):
        options = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        given = dict(zip((n for n in node.input if n), inputs))
        found.append(Case(name, node.op_type, given, options, outputs[0]))

    expected, module.expect = module.expect, expect
    try:
        for kind in (k for k in vars(module).values() if inspect.isclass(k) and k.__module__ == module.__name__):
            for method in (m for m in vars(kind) if m.startswith("export")):
                getattr(kind, method)()
    finally:
        module.expect = expected
    return found


OPERATORS = ["QuantizeLinear", "DequantizeLinear", "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"]
CASES = [case for operator in OPERATORS for case in cases_of(operator)]


def not_ours(case):
    """Why the library does not cover the case; None if it does."""
    if case.options.get("block_size"):
        return "scales of blocks"
    arrays = [*case.inputs.values(), case.y]
    if any(not isinstance(a, np.ndarray | np.generic) for a in arrays):
        return "codes that NumPy does not have: float8, float4, int4, int2"
    codes = [a.dtype for a in arrays if a.dtype.kind in "iu"]
    if any(d.itemsize == 2 for d in codes):
        return "codes of 16 bits"
    return None


def ids(case):
    return case.name.removeprefix("test_")


OURS = [case for case in CASES if not_ours(case) is None]


# The definitions


def along(a, x, axis):
    """The scale or zero point of each channel, in a shape that broadcasts against x."""
    a = np.asarray(a)
    return a if a.ndim == 0 or a.size == 1 else a.reshape([-1 if i == axis % x.ndim else 1 for i in range(x.ndim)])


def saturated(q, dtype):
    return np.clip(q, np.iinfo(dtype).min, np.iinfo(dtype).max).astype(dtype)


def first(x, axis, *vectors):
    """x with `axis` first, as our functions want it for a scale of each channel, and the numbers of vectors."""
    plain_numbers = [v.item() if np.size(v) == 1 else v for v in vectors]
    return np.moveaxis(x, axis, 0) if np.size(vectors[0]) > 1 else x, *plain_numbers


def back(x, axis, scale):
    return np.moveaxis(x, 0, axis) if np.size(scale) > 1 else x


def quantize_linear(x, y_scale, y_zero_point=ZERO, *, axis=1):
    moved, S, Z = first(x, axis, y_scale, y_zero_point)
    limits = np.iinfo(y_zero_point.dtype)
    q = affine_quantize(moved, scale=S, zero_point=Z, q_min=int(limits.min), q_max=int(limits.max))
    return back(q, axis, y_scale)


def dequantize_linear(x, x_scale, x_zero_point=ZERO, *, axis=1):
    moved, S, Z = first(x, axis, x_scale, x_zero_point)
    return back(affine_dequantize(moved, scale=S, zero_point=Z), axis, x_scale)


def centred(q, zero, axis):
    return q.astype(np.int64) - along(zero, q, axis).astype(np.int64)


def conv_integer(
    x, w, x_zero_point=0, w_zero_point=0, *, pads=(0, 0, 0, 0), strides=(1, 1), dilations=(1, 1), group=1, **_
):
    top, left, bottom, right = pads
    x, w = centred(x, x_zero_point, None), centred(w, w_zero_point, 0)
    return plain.conv2d(x, w, strides, (top, bottom, left, right), dilations, group).astype(np.int32)


def matmul_integer(A, B, a_zero_point=0, b_zero_point=0):
    return (centred(A, a_zero_point, -2) @ centred(B, b_zero_point, -1)).astype(np.int32)


def requantized(sums, scales, y_scale, y_zero_point):
    M = scales.astype(np.float64) / np.float64(y_scale)
    return saturated(np.rint(M * sums) + np.float64(y_zero_point), y_zero_point.dtype)


def qlinear_conv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B=0, **options):
    sums = conv_integer(x, w, x_zero_point, w_zero_point, **options) + np.reshape(B, (-1, 1, 1))
    return requantized(sums, along(x_scale * w_scale, sums, 1), y_scale, y_zero_point)


def qlinear_matmul(a, a_scale, a_zero_point, b, b_scale, b_zero_point, y_scale, y_zero_point):
    sums = matmul_integer(a, b, a_zero_point, b_zero_point)
    return requantized(sums, np.asarray(a_scale, np.float64) * np.asarray(b_scale, np.float64), y_scale, y_zero_point)


DEFINITIONS = {
    "QuantizeLinear": quantize_linear,
    "DequantizeLinear": dequantize_linear,
    "QLinearConv": qlinear_conv,
    "QLinearMatMul": qlinear_matmul,
    "ConvInteger": conv_integer,
    "MatMulInteger": matmul_integer,
}


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_definitions_give_what_the_case_expects(case):
    if reason := not_ours(case):
        pytest.skip(reason)
    y = DEFINITIONS[case.operator](*case.inputs.values(), **case.options)
    assert y.shape == case.y.shape and y.dtype == case.y.dtype
    if y.dtype.kind == "f":
        np.testing.assert_allclose(y, case.y, rtol=1e-6)
    else:
        np.testing.assert_array_equal(y, case.y)


def test_how_many_cases_there_are_and_why_the_others_are_not_ours():
    ours = collections.Counter(case.operator for case in OURS)
    assert ours == dict(zip(OPERATORS, (2, 2, 1, 8, 2, 1)))
    others = collections.Counter(filter(None, map(not_ours, CASES)))
    assert sorted(others.values()) == [3, 4, 16]


# The kernels


def sums_of_bytes(a, b, a_zero, b_zero):
    """The int32 sums of (a - Z_a) (b - Z_b) from the kernel's product of uint8 and int8.

    Codes move with their zero points: int8 + 128 is uint8. With d = Z_b, sum (a - Z_a) (b - d) is
    sum a b - Z_a sum b - d sum a + K Z_a d (Jacob et al. 2018, arXiv 1712.05877, equation 7).
    """
    up, down = 128 * (a.dtype == np.int8), 128 * (b.dtype == np.uint8)
    a, a_zero = (a.astype(np.int64) + up).astype(np.uint8), a_zero.item() + up
    b, b_zero = (b.astype(np.int64) - down).astype(np.int8), b_zero.item() - down
    rows, columns = a.sum(1, dtype=np.int32)[:, None], b.sum(0, dtype=np.int32)
    sums = conv.linear_sums(a, conv.pack(b.T), np.zeros(b.shape[1], np.int32))
    return sums - a_zero * columns - b_zero * rows + a.shape[1] * a_zero * b_zero


def stacked(case):
    """(a, b, y) of each matrix product in a stack of them."""
    named = {name.lower(): value for name, value in case.inputs.items()}
    return zip(*(s.reshape(-1, *s.shape[-2:]) for s in (named["a"], named["b"], case.y)))


@pytest.mark.parametrize("case", [c for c in OURS if "MatMul" in c.operator], ids=ids)
def test_kernels_of_bytes_give_what_the_case_expects(case):
    given = case.inputs
    for a, b, y in stacked(case):
        got = sums_of_bytes(a, b, given["a_zero_point"], given["b_zero_point"])
        if case.operator == "QLinearMatMul":
            a_scale, b_scale, y_scale = (np.float64(given[name]).item() for name in ("a_scale", "b_scale", "y_scale"))
            up = 128 * (y.dtype == np.int8)  # the kernel writes uint8
            zero, no_weights = given["y_zero_point"].item() + up, np.zeros((got.shape[1], 0), np.int8)
            out = requantize.output(no_weights, None, a_scale * b_scale / y_scale, 0, zero=zero)
            got = requantize.requantize(got.astype(np.int32), out).astype(np.int64) - up
        np.testing.assert_array_equal(got, y)
