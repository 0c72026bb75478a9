"""Values: evenly spaced, w = S (q - Z) with integer codes q of K bits (Jacob et al. 2018, "Quantization and Training of
Neural Networks for Efficient Integer-Arithmetic-Only Inference", arXiv 1712.05877, equation 1)."""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform, transform
from lightnn.functional.quantize import (
    LEAST_SCALE,
    MOST_SCALE,
    affine_dequantize,
    affine_quantize,
    code_range,
    fake_quantize,
    scale_and_zero_point,
)
from lightnn.nn import Parameter
from lightnn.tensor import Tensor

__all__ = ["Affine", "use_affine"]


@transform("affine")
class Affine(Transform):
    """w = S (clip(round(latent / S) + Z, q_min, q_max) - Z). The gradient passes where nothing is clipped (STE).

    scale: S, zero_point: Z, arrays (1,) for the whole weight or (O,) for each output channel, axis 0. Both are fixed;
    `use_affine` measures them again.
    """

    buffers = ("scale", "zero_point")
    parts = ("range", "scale", "zero_point", "codes")  # range: q_min and q_max
    per_weight = ("codes",)

    def __init__(self, scale: np.ndarray, zero_point: np.ndarray, q_min: int = -127, q_max: int = 127):
        self.q_min, self.q_max = code_range("Affine", q_min, q_max)
        scale, zero_point = np.asarray(scale), np.asarray(zero_point)
        if scale.ndim != 1 or scale.dtype.kind != "f" or zero_point.shape != scale.shape:
            raise ValueError(f"Affine: want scale and zero_point (1,) or (O,); got {scale.shape}, {zero_point.shape}")
        if zero_point.dtype.kind not in "iu" or not ((self.q_min <= zero_point) & (zero_point <= self.q_max)).all():
            want = f"integers from {self.q_min} to {self.q_max}, the ends q_min and q_max"
            raise options.wrong("Affine: zero_point", want, zero_point)
        if not ((scale >= LEAST_SCALE) & (scale <= MOST_SCALE)).all():
            raise options.wrong("Affine: scale", "numbers from 2^-126 to 2^110", scale)
        self.scale, self.zero_point = scale.astype(np.float32), zero_point.astype(np.int64)

    @property
    def bits(self) -> int:
        """K, the bits of a code."""
        return (self.q_max - self.q_min).bit_length()

    def _given(self, dtype):
        codes = {"q_min": self.q_min, "q_max": self.q_max}
        return {"scale": self.scale.astype(dtype), "zero_point": self.zero_point} | codes

    def forward(self, latent: Tensor) -> Tensor:
        return fake_quantize(latent, **self._given(latent.dtype))

    def encode(self, latent):
        given = self._given(latent.dtype)
        parts = {name: given[name] for name in ("scale", "zero_point")}
        return {"range": np.array([self.q_min, self.q_max]), **parts, "codes": affine_quantize(latent, **given)}

    @classmethod
    def decode(cls, parts):
        q_min, q_max = cls.restore(parts)._ends()
        codes = np.asarray(parts["codes"])
        if codes.size and not q_min <= codes.min() <= codes.max() <= max(q_max, 0):
            raise ValueError(f"Affine: want codes from {q_min} to {q_max}, got {codes.min()} to {codes.max()}")
        return affine_dequantize(codes, scale=np.asarray(parts["scale"]), zero_point=np.asarray(parts["zero_point"]))

    @classmethod
    def restore(cls, parts):
        ends = np.asarray(parts["range"])
        if ends.shape != (2,) or ends.dtype.kind not in "iu":
            raise ValueError(f"Affine: want two integers as the range of codes, got shape {ends.shape}")
        return cls(parts["scale"], parts["zero_point"], *ends.tolist())

    def _ends(self):
        return self.q_min, self.q_max

    def take(self, keep, axis):
        if axis == 0 and len(self.scale) > 1:
            return Affine(self.scale[keep], self.zero_point[keep], self.q_min, self.q_max)
        return Affine(self.scale, self.zero_point, self.q_min, self.q_max)

    def extra_repr(self) -> str:
        return f"{self.bits} bits, {self.q_min} to {self.q_max}, {len(self.scale)} scales"


def use_affine(p: Parameter, bits: int = 8, per_channel: bool = True, symmetric: bool = True, scale=None) -> Affine:
    """Let Parameter p use 2^bits evenly spaced values, and return its Affine. p's latent weights stay.

    symmetric: Z = 0, codes from -(2^(bits-1) - 1) to 2^(bits-1) - 1; else codes from 0 to 2^bits - 1. S and Z are
    measured on the latent weights that p.support keeps, for each index of axis 0 if per_channel. scale: S instead, an
    array (1,) or (O,), for a symmetric range. ValueError for weights that are not finite.
    """
    bits = options.count("use_affine: bits", bits, 2, 8)
    per_channel = options.flag("use_affine: per_channel", per_channel)
    symmetric = options.flag("use_affine: symmetric", symmetric)
    check_finite("use_affine: p", p.data)
    n = 2 ** (bits - 1) - 1
    ends = (-n, n) if symmetric else (0, 2**bits - 1)
    if scale is not None:
        if not symmetric or not isinstance(scale, np.ndarray) or scale.ndim != 1 or len(scale) not in (1, *p.shape[:1]):
            raise options.wrong("use_affine: scale", "an array (1,) or (O,) of a symmetric range, or None", scale)
        p.values = Affine(scale, np.zeros(len(scale), np.int64), *ends)
        return p.values
    w = p.data if p.support is None else np.where(p.support.mask, p.data, 0)
    rows = w.reshape(len(w), -1) if per_channel and w.ndim and w.size else w.reshape(1, -1)
    low, high = rows.min(1, initial=0), rows.max(1, initial=0)
    if symmetric:
        high = np.maximum(-low, high)
        low = -high
    S, Z = scale_and_zero_point(low, high, q_min=ends[0], q_max=ends[1])
    p.values = Affine(S, np.zeros_like(Z) if symmetric else Z, *ends)  # a row of zeros has no range, but Z = 0, too
    return p.values
