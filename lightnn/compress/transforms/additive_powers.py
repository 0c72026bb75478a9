"""Values: sums of powers of two (Li, Dong & Wang 2020, "Additive Powers-of-Two Quantization", arXiv 1909.13144).

    w = alpha times the level nearest to clip(W / alpha, -1, 1)
    levels: +-gamma (p_0 + p_1 + ...),   p_i from {0, 2^-i, 2^-(i+n), 2^-(i+2n)}          (section 2.2, k = 2)

W are the latent weights, alpha is learned, gamma makes the largest level 1. A machine multiplies by a level with one
shift a term. Of K bits one is the sign, so there are n = (K - 1) / 2 terms of two bits each; where K is even, one term
has one bit (the authors' code deals the exponents out so that all sums differ).
"""

import itertools

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.levels import Learned, kept
from lightnn.exercise import exercise
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["AdditivePowers", "use_additive_powers"]

TERMS = {  # bits: for each term the exponents e of the 2^-e that it may be, beside 0
    2: [(1,)],
    3: [(1, 2, 3)],
    4: [(1, 2, 4), (3,)],
    5: [(1, 3, 5), (2, 4, 6)],
    6: [(1, 3, 6), (2, 4, 7), (5,)],
    7: [(1, 4, 7), (2, 5, 8), (3, 6, 9)],
}


@transform("additive-powers")
class AdditivePowers(Learned):
    """bits: K, 2 to 7. scale: alpha, a Parameter (1,)."""

    most_bits = 7

    @staticmethod
    def levels(bits, scale):
        return additive_levels(TERMS[bits]).astype(scale.dtype) * scale

    def codes(self, latent, scale):
        L = self.levels(self.bits, np.ones(1))
        with np.errstate(over="ignore"):
            x = np.clip(latent / scale[0], -1, 1)
        return np.searchsorted((L[1:] + L[:-1]) / 2, x)

    def forward(self, latent: Tensor) -> Tensor:
        alpha = self.scale_of(latent)
        return additive_powers(latent, self.scale, w=self.values_of(latent.data, alpha), alpha=alpha[0])


@exercise("10.7")
def additive_levels(terms):
    """All levels, float64 (L,), ascending, that sums of powers of two can make:

        gamma (p_0 + p_1 + ...) and -gamma (p_0 + p_1 + ...),    gamma > 0
        p_i = 0, or 2^-e for one of the exponents e of terms[i]

    gamma makes the largest level 1. terms: for each p_i a tuple of whole exponents, such as [(1, 2, 4), (3,)], the
    TERMS of 4 bits. Every p_i is chosen on its own; no two choices have the same sum. The level 0 is there once.
    """
    choices = [[0.0, *(2.0**-e for e in exponents)] for exponents in terms]
    sums = np.sort([sum(p) for p in itertools.product(*choices)])
    return np.concatenate([-sums[:0:-1], sums]) / sums[-1]


@op
def additive_powers(W, scale, *, w, alpha):
    """w in the place of W. STE: dL/dW = dL/dw where |W| <= alpha, else 0, and (section 2.3)

    dw/dalpha = w / alpha - W / alpha where |W| <= alpha,   sign(W) elsewhere
    """
    inside = np.abs(W) <= alpha

    def vjp_alpha(dy):
        x = np.where(inside, W, 0) / alpha
        return np.array([(dy * np.where(inside, w / alpha - x, np.sign(W))).sum()], scale.dtype)

    return w, lambda dy: np.where(inside, dy, dy.dtype.type(0)), vjp_alpha


def use_additive_powers(p: Parameter, bits: int) -> AdditivePowers:
    """Let Parameter p use sums of powers of two, 2 to 7 bits, and return its AdditivePowers. p's latent weights stay.

    alpha begins at 3 standard deviations (around 0) of the kept weights, or the largest of them if that is less;
    `AdditivePowers.scale` must be among the parameters that the optimizer trains. ValueError for weights that are not
    finite.
    """
    bits = options.count("use_additive_powers: bits", bits, 2, 7)
    check_finite("use_additive_powers: p", p.data)
    w = np.clip(kept(p).astype(np.float64), -MOST_SCALE, MOST_SCALE)
    largest = np.abs(w).max(initial=0)
    alpha = min(3 * np.sqrt(np.mean((w / largest) ** 2)), 1) * largest if largest > 0 else 1.0
    p.values = AdditivePowers(bits, np.clip([alpha], LEAST_SCALE, MOST_SCALE).astype(p.dtype))
    return p.values
