"""What the techniques below share: a weight is one of a few levels, and its code is the place of its level.

    w = levels(bits, scale)[code],        code = codes(latent, scale)

A subclass says which levels there are, which code a latent weight has, and what the gradient is. Its scale is either
measured on the latent weights at each use (`Measured`: DoReFa, ternary weights) or learned (`Learned`: LSQ, trained
ternary weights, additive powers of two).
"""

import copy

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.nn import Parameter


class Levels(Transform):
    """bits: K. scale: the numbers that the levels are computed from, an array."""

    parts = ("bits", "scale", "codes")
    per_weight = ("codes",)
    scales = 1
    fewest_bits, most_bits = 2, 8

    @classmethod
    def count_scales(cls, bits: int) -> int:
        """How many numbers the scale has."""
        return cls.scales

    @staticmethod
    def levels(bits: int, scale: np.ndarray) -> np.ndarray:
        """The levels, ascending, in scale's dtype."""
        raise NotImplementedError

    def codes(self, latent: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """The place of each latent weight's level."""
        raise NotImplementedError

    def scale_of(self, latent) -> np.ndarray:
        """The scale in latent's dtype, for a Parameter, a Tensor or an array."""
        raise NotImplementedError

    def values_of(self, latent: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """The weights that the network uses. NaN stays NaN, so that training that diverged shows."""
        w = self.levels(self.bits, scale)[self.codes(latent, scale)]
        return np.where(np.isnan(latent), latent, w)

    def encode(self, latent):
        check_finite(f"{type(self).__name__}: latent weights", latent)
        scale = self.scale_of(latent)
        codes = self.codes(latent, scale).astype(np.min_scalar_type(2**self.bits - 1))
        return {"bits": np.array(self.bits), "scale": scale, "codes": codes}

    @classmethod
    def read(cls, parts):
        """(bits, scale) of parts that may be hostile."""
        name, bits, scale = cls.__name__, np.asarray(parts["bits"]), np.asarray(parts["scale"])
        if bits.ndim or bits.dtype.kind not in "iu":
            raise ValueError(f"{name}: want one integer for bits, got {bits.dtype} of shape {bits.shape}")
        bits = options.count(f"{name}: bits", int(bits), cls.fewest_bits, cls.most_bits)
        return bits, check_scale(name, scale, cls.count_scales(bits))

    @classmethod
    def decode(cls, parts):
        bits, scale = cls.read(parts)
        levels, codes = cls.levels(bits, scale), np.asarray(parts["codes"])
        if codes.size and not 0 <= codes.min() <= codes.max() < len(levels):
            want = f"codes from 0 to {len(levels) - 1}"
            raise ValueError(f"{cls.__name__}: want {want}, got {codes.min()} to {codes.max()}")
        return levels[codes]

    def take(self, keep, axis):
        return copy.deepcopy(self)

    def extra_repr(self) -> str:
        return f"{self.bits} bits"


class Learned(Levels):
    """Levels whose scale is a Parameter. It is held between 2^-126 and 2^110 where it is used, so none comes to 0."""

    def __init__(self, bits: int, scale: np.ndarray):
        name = type(self).__name__
        self.bits = options.count(f"{name}: bits", bits, self.fewest_bits, self.most_bits)
        self.scale = Parameter(check_scale(name, np.array(scale), self.scales))

    def scale_of(self, latent):
        return np.clip(self.scale.data, LEAST_SCALE, MOST_SCALE).astype(latent.dtype)

    @classmethod
    def restore(cls, parts):
        return cls(*cls.read(parts))


class Measured(Levels):
    """Levels whose scale is measured on the kept latent weights at each use, until it is fixed.

    fixed: NaN, or the scale. Loading a network to run and surgery fix it; `use_...` measures again.
    """

    buffers = ("fixed",)

    def __init__(self, bits: int, fixed: np.ndarray | None = None):
        name = type(self).__name__
        self.bits = options.count(f"{name}: bits", bits, self.fewest_bits, self.most_bits)
        count = self.count_scales(self.bits)
        given = np.full(count, np.nan) if fixed is None else check_scale(name, np.asarray(fixed), count)
        self.fixed = given.astype(np.float64)

    def measure(self, w: np.ndarray) -> list[float]:
        """The scale for the kept weights w, a float64 array."""
        raise NotImplementedError

    def scale_of(self, latent):
        measured = np.isnan(self.fixed).any()
        scale = np.array(self.measure(kept(latent).astype(np.float64))) if measured else self.fixed
        return np.maximum(scale, LEAST_SCALE).astype(latent.dtype)

    def settled(self, p):
        twin = copy.deepcopy(self)
        twin.fixed = self.scale_of(p).astype(np.float64)
        return twin

    @classmethod
    def restore(cls, parts):
        return cls(*cls.read(parts))


def check_scale(name, scale, n):
    if scale.shape != (n,) or scale.dtype.kind != "f":
        raise ValueError(f"{name}: scale: want an array ({n},) of floats, got {scale.dtype} of shape {scale.shape}")
    if not ((scale >= LEAST_SCALE) & (scale < np.inf)).all():
        raise options.wrong(f"{name}: scale", "finite numbers from 2^-126 on", scale)
    return scale


def kept(latent) -> np.ndarray:
    """The latent weights that the support of a Parameter keeps, as a vector; all of a Tensor or an array."""
    w = np.asarray(getattr(latent, "data", latent) if not isinstance(latent, np.ndarray) else latent)
    support = getattr(latent, "support", None)
    return w[support.mask] if support is not None else w.ravel()


def mean_magnitude(w: np.ndarray) -> float:
    """E|w|, of no weights 0. The largest is divided out first, so that no sum overflows."""
    largest = np.abs(w).max(initial=0)
    return float(np.mean(np.abs(w) / largest) * largest) if largest > 0 else 0.0
