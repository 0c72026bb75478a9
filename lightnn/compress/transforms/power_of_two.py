"""Values: powers of two (Miyashita, Lee & Murmann 2016, "Convolutional Neural Networks using Logarithmic Data
Representation", arXiv 1603.01025).

A weight is stored as its sign and a small integer, the exponent. A machine can multiply by it with a shift.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import Transform, transform
from lightnn.exercise import exercise
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["PowerOfTwo", "log_codes", "log_quantize", "use_powers_of_two"]

MOST_BITS = 8


@transform("power-of-two")
class PowerOfTwo(Transform):
    """w = +-2^e with the exponent e nearest to log2 |latent|, or 0 below the range of exponents.

    bits: K, 2 to 8. One bit is the sign; the others tell 0 and the 2^(K-1) - 1 exponents that end at `top` apart.
    """

    parts = ("bits", "scale", "codes")  # scale: 2^top, in the dtype of the weight
    per_weight = ("codes",)

    def __init__(self, bits: int, top: int):
        self.bits = options.count("PowerOfTwo: bits", bits, 2, MOST_BITS)
        self.top = options.count("PowerOfTwo: top", top, -100, 100)

    def forward(self, latent: Tensor) -> Tensor:
        return log_quantize(latent, bits=self.bits, top=self.top)

    def encode(self, latent):
        scale = np.asarray(2.0**self.top, latent.dtype)
        return {"bits": np.array(self.bits), "scale": scale, "codes": log_codes(latent, self.bits, self.top)}

    @classmethod
    def decode(cls, parts):
        levels = 2 ** (int(parts["bits"]) - 1) - 1
        codes = np.asarray(parts["codes"])
        if codes.size and np.abs(codes).max() > levels:
            raise ValueError(f"PowerOfTwo: want codes from {-levels} to {levels}, got {codes.min()} to {codes.max()}")
        w = np.ldexp(parts["scale"], np.abs(codes).astype(np.int32) - levels)
        return np.where(codes > 0, w, np.where(codes < 0, -w, w.dtype.type(0)))

    @classmethod
    def restore(cls, parts):
        fraction, exponent = np.frexp(parts["scale"])
        if fraction != 0.5:
            raise ValueError(f"PowerOfTwo: want a power of two for the scale, got {parts['scale']}")
        return cls(int(parts["bits"]), int(exponent) - 1)

    def take(self, keep, axis):
        return PowerOfTwo(self.bits, self.top)

    def extra_repr(self) -> str:
        return f"{self.bits} bits, up to 2^{self.top}"


@op
def log_quantize(latent, *, bits, top):
    """w = sign(latent) 2^clip(round(log2 |latent|)), 0 below the range. STE: the latent weight takes w's gradient as
    its own (Bengio, Leonard & Courville 2013, arXiv 1308.3432)."""
    parts = PowerOfTwo(bits, top).encode(latent)
    return PowerOfTwo.decode(parts), lambda dy: dy


@exercise("04.7")
def log_codes(w, bits, top):
    """The code of each weight of the array w: its sign times the place of its exponent, an int8 array of w's shape.

    The exponent is e = round(log2 |w|). There are n = 2^(bits-1) - 1 places: place 1 is the exponent top - n + 1, and
    place n the exponent top. A larger exponent takes place n too; for a smaller one, and for a weight of 0, the code
    is 0. w stays as it is. ValueError if a weight is not finite.
    """
    options.count("log_codes: bits", bits, at_most=MOST_BITS)
    options.whole("log_codes: top", top)
    w = np.asarray(w)
    if not np.isfinite(w).all():
        raise ValueError("log_codes: want finite weights")
    n = 2 ** (bits - 1) - 1
    e = np.rint(np.log2(np.abs(w), out=np.zeros(w.shape), where=w != 0))
    return (np.sign(w) * np.clip(e - top + n, 0, n)).astype(np.int8)


def use_powers_of_two(p: Parameter, bits: int) -> PowerOfTwo:
    """Let Parameter p use powers of two of `bits` bits, up to the one nearest to its largest weight. Returns its
    PowerOfTwo; p's latent weights stay, and training goes on with them."""
    bits, w = options.count("use_powers_of_two: bits", bits, 2, MOST_BITS), p().data
    check_finite("use_powers_of_two: p", w)
    largest = np.abs(w).max(initial=0)
    p.values = PowerOfTwo(bits, int(np.rint(np.log2(largest))) if largest > 0 else 0)
    return p.values
