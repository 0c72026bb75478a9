"""Values: -alpha, 0 or alpha (Li, Zhang & Liu 2016, "Ternary Weight Networks", arXiv 1605.04711).

    w = alpha if W > D,   0 if |W| <= D,   -alpha if W < -D
    D = 0.7 E|W|          (0.75 E|W| in later versions: the best for normally distributed weights)
    alpha = E[|W| : |W| > D]

W are the latent weights, D is the threshold, Delta in the paper (section 2). It stands near the best one, D* = argmax
of (sum of |W| > D)^2 / (number of them), which a test finds by sorting.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.dorefa_weights import straight_through
from lightnn.compress.transforms.levels import Measured, mean_magnitude
from lightnn.exercise import exercise
from lightnn.functional.quantize import LEAST_SCALE
from lightnn.nn import Parameter
from lightnn.tensor import Tensor

__all__ = ["Ternary", "use_ternary"]


@transform("ternary")
class Ternary(Measured):
    """factor: D / E|W|. fixed: alpha and D; NaN: measured on the kept weights at each use. STE: dL/dW = dL/dw."""

    buffers = ("fixed", "factor")
    scales = 2
    most_bits = 2

    def __init__(self, bits: int = 2, fixed: np.ndarray | None = None, factor: float = 0.7):
        super().__init__(bits, fixed)
        self.factor = np.array([options.number("Ternary: factor", factor, at_least=0, at_most=100)])

    def measure(self, w):
        D, alpha = threshold_and_scale(w, self.factor.item())
        D = min(max(D, LEAST_SCALE), 1e300)
        return [max(alpha, D * (1 + 2**-20)), D]  # alpha > D: rounding must not undo this

    @staticmethod
    def levels(bits, scale):
        return np.array([-1, 0, 1], scale.dtype) * scale[0]

    def codes(self, latent, scale):
        return 1 + (latent > scale[1]) - (latent < -scale[1]).astype(np.int8)

    def forward(self, latent: Tensor) -> Tensor:
        return straight_through(latent, w=self.values_of(latent.data, self.scale_of(latent)))

    def extra_repr(self) -> str:
        return f"threshold {self.factor[0]:g} E|W|"


@exercise("10.5")
def threshold_and_scale(W, factor):
    """(D, alpha), two floats, for the weights W, a float64 array of any shape:

        D = factor E|W|
        alpha = E[|W| : |W| > D]

    alpha is the mean over those weights alone whose magnitude is above D; one with |W| = D is not among them. The mean
    of no weights is 0: alpha is 0.0 where no weight is above D, and both are 0.0 for an empty W. factor >= 0.
    """
    D = factor * mean_magnitude(W)
    return D, mean_magnitude(W[np.abs(W) > D])


def use_ternary(p: Parameter, factor: float = 0.7) -> Ternary:
    """Let Parameter p use three values, and return its Ternary. p's latent weights stay. factor: 0.7 or 0.75 in the
    paper, from 0 to 100. ValueError for weights that are not finite."""
    factor = options.number("use_ternary: factor", factor, at_least=0, at_most=100)
    check_finite("use_ternary: p", p.data)
    p.values = Ternary(factor=factor)
    return p.values
