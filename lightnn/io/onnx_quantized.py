"""Quantized numbers in an ONNX graph: what lies between a QuantizeLinear and a DequantizeLinear is held in 8 bits.

    QuantizeLinear      q = clip(round(x / S) + Z, 0, 255)          int8: -128, 127; a half goes to the even code
    DequantizeLinear    x = S (q - Z)

A `fake_quantize` is such a pair. A weight with an Affine transform is an int8 constant (uint8 where int8 is too narrow)
and a DequantizeLinear, with a scale for each output channel if it has them. The bias of a layer whose input and weight
are quantized is int32, with S_b = S_x S_w and Z_b = 0 (Jacob et al. 2018, arXiv 1712.05877, section 2.4). An op that
only moves numbers passes codes on: its output gets the pair of its input. ONNX Runtime makes integer operators of what
stands between pairs.
"""

from typing import NamedTuple

import numpy as np


class Codes(NamedTuple):
    """How a value is held: S a scalar or (O,) float32, Z likewise in the dtype of the codes; the names of both."""

    S: np.ndarray
    Z: np.ndarray
    names: tuple[str, str]


def pair(call, x: str, codes: Codes) -> str:
    """x, quantized and dequantized."""
    q = call.node("QuantizeLinear", x, *codes.names)
    return dequantized(call, q, codes)


def dequantized(call, q: str, codes: Codes) -> str:
    y = call.node("DequantizeLinear", q, *codes.names, **({"axis": 0} if codes.S.ndim else {}))
    call.graph.codes[y] = codes
    return y


def fake_quantize(call) -> str:
    """The rule of F.fake_quantize. Where the codes are fewer than their dtype has, x is clipped before."""
    given, x = call.options, call.value(0)
    ends = given["q_min"], given["q_max"]
    dtype = next((t for t in (np.uint8, np.int8) if _fits(t, *ends)), None)
    if dtype is None or np.size(given["scale"]) != 1:
        raise call.error("has no counterpart in ONNX unless it has one scale and codes of 8 bits")
    S, Z = (np.reshape(given[name], ()) for name in ("scale", "zero_point"))
    S, Z = S.astype(np.float32), Z.astype(dtype)
    if ends != (np.iinfo(dtype).min, np.iinfo(dtype).max):
        x = call.node("Clip", x, *(call.floats(S * np.float32(q - int(Z))) for q in ends))
    return pair(call, x, held(call, S, Z, tuple(f"{call.path}.{n}".lstrip(".") for n in ("scale", "zero_point"))))


def _fits(dtype, low, high):
    return np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max


def held(call, S, Z, names) -> Codes:
    """Codes, with S and Z as constants of these names."""
    return Codes(S, Z, tuple(call.graph.constant(name, a) for name, a in zip(names, (S, Z))))


def layer_inputs(call) -> list[str]:
    """The names of a layer's x, w and b (left out for None), codes where they are quantized."""
    x, w = call.value(0), weight(call)
    if call.arrays[2] is None:
        return [x, w]
    codes = [call.graph.codes.get(name) for name in (x, w)]
    return [x, w, call.value(2) if None in codes else bias(call, *codes)]


def weight(call) -> str:
    """The layer's weight (O, ...). Its codes are read off w itself, so that a pruned weight has the code of 0."""
    w, name = call.arrays[1], call.state_name(call.arrays[1], "weight")
    values = getattr(call.graph.parameters.get(name), "values", None)
    if getattr(values, "kind", None) != "affine":
        return call.value(1)
    if name in call.graph.held_weights:
        return call.graph.held_weights[name]
    S, Z = (np.asarray(a).reshape(-1) for a in (values.scale, values.zero_point))
    along = (-1, *[1] * (w.ndim - 1))
    q = np.rint(w / S.reshape(along)).astype(np.int64) + Z.reshape(along).astype(np.int64)
    dtype = np.int8 if q.min() >= -128 and q.max() <= 127 else np.uint8
    shape = () if S.size == 1 else S.shape
    S, Z = S.astype(np.float32).reshape(shape), np.broadcast_to(Z.astype(dtype), S.shape).reshape(shape)
    codes = held(call, S, Z, (f"{name}.scale", f"{name}.zero_point"))
    call.graph.held_weights[name] = dequantized(call, call.graph.constant(name, q.astype(dtype)), codes)
    return call.graph.held_weights[name]


def bias(call, x: Codes, w: Codes) -> str:
    """b = S_x S_w q, q int32."""
    b, name = call.arrays[2], call.state_name(call.arrays[2], "bias")
    S = np.broadcast_to(x.S * w.S, b.shape).astype(np.float32)
    q = np.rint(b / S.astype(np.float64))
    if np.abs(q).max(initial=0) >= 2**31:
        raise call.error(f"has a bias that does not fit int32 in steps of {S.flat[np.abs(q).argmax()]:.3g}")
    name = call.graph.constant(name, q.astype(np.int32))
    return dequantized(call, name, held(call, S, np.zeros(S.shape, np.int32), (f"{name}.scale", f"{name}.zero_point")))
