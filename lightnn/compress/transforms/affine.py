"""Values: affine quantization of weights, symmetric (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018, arXiv
1806.08342):

    q = clip(round(w / S), -(2^(K-1) - 1), 2^(K-1) - 1),        w_q = S q

with one step S for the whole tensor, or one for each output channel (axis 0). The lowest code is left out, so that q
and -q both exist and products of two fit into 16 bits.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform, transform
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["Affine", "affine_codes", "affine_quantize", "use_affine"]


@transform("affine")
class Affine(Transform):
    """w = S q with K = `bits` bits; scale: S, float of shape (1,) or (O,)."""

    buffers = ("scale",)
    parts = ("bits", "scale", "codes")
    per_weight = ("codes",)

    def __init__(self, bits: int, scale: np.ndarray):
        self.bits, self.scale = options.count("Affine: bits", bits, 2, 8), np.asarray(scale)
        if self.scale.ndim != 1 or self.scale.dtype.kind != "f" or not (self.scale > 0).all():
            raise ValueError(f"Affine: want a scale of positive floats (1,) or (O,), got {self.scale.dtype} "
                             f"{self.scale.shape}")  # fmt: skip
        check_finite("Affine: scale", self.scale)

    def forward(self, latent: Tensor) -> Tensor:
        return affine_quantize(latent, scale=self.scale, bits=self.bits)

    def encode(self, latent):
        return {"bits": np.array(self.bits), "scale": self.scale, "codes": affine_codes(latent, self.scale, self.bits)}

    @classmethod
    def decode(cls, parts):
        codes, most = np.asarray(parts["codes"]), 2 ** (int(parts["bits"]) - 1) - 1
        if codes.size and np.abs(codes).max() > most:
            raise ValueError(f"Affine: want codes from {-most} to {most}, got {codes.min()} to {codes.max()}")
        return codes.astype(parts["scale"].dtype) * _along(parts["scale"], codes)

    @classmethod
    def restore(cls, parts):
        return cls(int(parts["bits"]), parts["scale"])

    def take(self, keep, axis):
        return Affine(self.bits, self.scale[keep] if axis == 0 and self.scale.size > 1 else self.scale)

    def extra_repr(self) -> str:
        return f"{self.bits} bits, {self.scale.size} scales"


def _along(scale, w):
    """The scale beside the weights: along axis 0."""
    if scale.size not in (1, *np.shape(w)[:1]):
        raise ValueError(f"Affine: want one scale or one for each of {np.shape(w)[:1]} channels, got {scale.size}")
    return scale.reshape(-1, *[1] * (np.ndim(w) - 1)) if np.ndim(w) else scale.reshape(())


def affine_codes(w: np.ndarray, scale: np.ndarray, bits: int) -> np.ndarray:
    """q, an int8 array of w's shape."""
    most = 2 ** (options.count("affine_codes: bits", bits, 2, 8) - 1) - 1
    with np.errstate(over="ignore"):  # what is too large for a float is clipped, too
        return np.clip(np.rint(w / _along(scale, w)), -most, most).astype(np.int8)


@op
def affine_quantize(latent, *, scale, bits):
    """w_q = S q. STE: the latent weight takes w_q's gradient as its own (Bengio 2013, arXiv 1308.3432)."""
    codes = affine_codes(latent, scale, bits)
    return codes.astype(scale.dtype) * _along(scale, codes), lambda dy: dy


def use_affine(p: Parameter, bits: int = 8, per_channel: bool = True) -> Affine:
    """Let Parameter p use codes of `bits` bits, its largest weight (of each channel) the largest code. Returns its
    Affine; p's latent weights stay, and training goes on with them."""
    bits, w = options.count("use_affine: bits", bits, 2, 8), p().data
    check_finite("use_affine: p", w)
    rows = np.abs(w).reshape(len(w) if options.flag("use_affine: per_channel", per_channel) else 1, -1)
    largest = rows.max(1, initial=0) / (2 ** (bits - 1) - 1)
    p.values = Affine(bits, np.where(largest > np.finfo(w.dtype).tiny, largest, 1).astype(w.dtype))
    return p.values
