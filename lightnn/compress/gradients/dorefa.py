"""DoReFa-Net's G: gradients of k bits (Zhou et al. 2016, "DoReFa-Net: Training Low Bitwidth Convolutional Neural
Networks with Low Bitwidth Gradients", arXiv 1606.06160), f_k.

    f_k(dr) = 2 m [ quantize_k( dr / (2 m) + 1/2 + N(k) ) - 1/2 ],    m = max |dr|,    N(k) = sigma / (2^k - 1)
    quantize_k(r) = round((2^k - 1) r) / (2^k - 1),    sigma uniform in [-1/2, 1/2)

m is taken over all axes of dr but the first: a sample has its own. What quantize_k gets is clipped to [0, 1]. The noise
N(k) makes it unbiased, E[f_k(dr)] = dr, and each number's error has a variance of at most (m / (2^k - 1))^2.

The paper quantizes the gradients of activations inside the backward pass, to make that cheap: `dorefa_gradient`. The
codec `DoReFaGradient` applies the same formula to what workers exchange, with an m for each row of a weight.
"""

import math

import numpy as np

from lightnn import options
from lightnn.bits import pack, unpack
from lightnn.declare import same
from lightnn.files import FormatError
from lightnn.nn import Module
from lightnn.nn.init import generator
from lightnn.options import Rng
from lightnn.tensor import Tensor, op
from lightnn.training.codec import GradientCodec


def gradient_codes(dr, bits, rng):
    """(m, codes) of dr (N, D): m (N, 1) in float64, and integers (2^k - 1) quantize_k(...) (N, D), int64."""
    m = np.abs(dr).max(1, keepdims=True, initial=0).astype(np.float64)
    n = 2**bits - 1
    r = dr / np.where(m > 0, 2 * m, 1) + 0.5
    noise = (rng.random(dr.shape) - 0.5) / n
    return m, np.rint(n * np.clip(r + noise, 0, 1)).astype(np.int64)


def from_codes(m, codes, bits):
    """2 m (codes / (2^k - 1) - 1/2)."""
    return 2 * m * (codes / (2**bits - 1) - 0.5)


@op(channels=same, keeps_zero=True)
def _quantize_gradient(x, *, bits, rng):
    def vjp(dy):
        """f_k(dy): the forward pass is the identity."""
        rows = dy.reshape(len(dy), math.prod(dy.shape[1:])) if dy.ndim else dy.reshape(1, 1)
        return from_codes(*gradient_codes(rows, bits, rng), bits).astype(dy.dtype).reshape(dy.shape)

    return x.copy(), vjp


def dorefa_gradient(x: Tensor, *, bits: int = 4, rng: Rng = 0) -> Tensor:
    """x itself; in the backward pass its gradient dy (N, ...) is rounded to `bits` bits, a sample at a time.
    bits: k, from 1 to 16. rng: what the noise is drawn from."""
    bits = options.count("dorefa_gradient: bits", bits, at_most=16)
    return _quantize_gradient(x, bits=bits, rng=options.generator("dorefa_gradient: rng", rng))


class GradientQuantizer(Module):
    """`dorefa_gradient` as a layer: put it after the layer whose output's gradient should have few bits."""

    def __init__(self, bits: int = 4, *, rng: Rng | None = None):
        self.bits = options.count("GradientQuantizer: bits", bits, at_most=16)
        self.rng = generator(rng)

    def forward(self, x):
        return dorefa_gradient(x, bits=self.bits, rng=self.rng)


class DoReFaGradient(GradientCodec):
    """`bits` bits a number and m for each row (a vector counts as one); unbiased, no state but the generator."""

    def __init__(self, shape: tuple[int, ...], *, bits: int = 4, rng: Rng = 0):
        super().__init__(shape, rng=rng)
        self.bits = options.count("DoReFaGradient: bits", bits, at_most=16)
        self._rows = self.shape[0] if len(self.shape) > 1 else 1

    def pack(self, g):
        m, codes = gradient_codes(g.reshape(self._rows, -1), self.bits, self.rng)
        return m.astype("<f4").tobytes() + pack(codes.ravel(), self.bits)

    def unpack(self, body):
        at = 4 * self._rows
        self.wants(body, at + -(-self.size * self.bits // 8))
        m = np.frombuffer(body, "<f4", self._rows)[:, None].astype(np.float64)
        if not np.isfinite(m).all() or (m < 0).any():
            raise FormatError("DoReFaGradient: want maxima, finite and >= 0; got others")
        codes = unpack(body[at:], self.bits, self.size)
        return from_codes(m, codes.reshape(self._rows, -1), self.bits)
