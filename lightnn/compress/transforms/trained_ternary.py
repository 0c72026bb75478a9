"""Values: -W_n, 0 or W_p, both learned (Zhu, Han, Mao & Dally 2017, "Trained Ternary Quantization", arXiv 1612.01064).

    w = W_p if W > D,   0 if |W| <= D,   -W_n if W < -D
    D = t max|W|

W are the latent weights, D is the threshold, Delta in the paper (section 4).
"""

import copy

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.levels import Learned, kept, mean_magnitude
from lightnn.exercise import exercise
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["TrainedTernary", "use_trained_ternary"]


@transform("trained-ternary")
class TrainedTernary(Learned):
    """scale: W_p and W_n, a Parameter (2,). t: D / max|W|. fixed: D, an array (1,); NaN: measured on the kept weights
    at each use. A network that was loaded to run has D = min(W_p, W_n) / 2."""

    buffers = ("fixed", "t")
    scales = 2
    most_bits = 2

    def __init__(self, bits: int, scale: np.ndarray, t: float = 0.05):
        super().__init__(bits, scale)
        self.t = np.array([options.number("TrainedTernary: t", t, at_least=0, below=1)])
        self.fixed = np.array([np.nan])

    def threshold_of(self, latent):
        D = self.t[0] * np.abs(kept(latent)).max(initial=0) if np.isnan(self.fixed[0]) else self.fixed[0]
        return latent.dtype.type(D)

    def settled(self, p):
        twin = copy.deepcopy(self)
        twin.fixed = np.array([self.threshold_of(p)], np.float64)
        return twin

    @staticmethod
    def levels(bits, scale):
        return np.array([-scale[1], 0, scale[0]], scale.dtype)

    def codes(self, latent, scale):
        D = self.threshold_of(latent)
        return 1 + (latent > D) - (latent < -D).astype(np.int8)

    @classmethod
    def restore(cls, parts):
        twin = super().restore(parts)
        twin.fixed = np.array([twin.scale_of(twin.scale).min() / 2], np.float64)
        return twin

    def forward(self, latent: Tensor) -> Tensor:
        return trained_ternary(latent, self.scale, D=self.threshold_of(latent))

    def extra_repr(self) -> str:
        return f"threshold {self.t[0]:g} max|W|"


@exercise("10.6")
@op
def trained_ternary(W, scale, *, D):
    """w = W_p, 0 or -W_n, in W's shape and dtype, and its gradients, with dy = dL/dw:

        w = W_p where W > D,    0 where |W| <= D,    -W_n where W < -D
        dL/dW_p = sum of dy where W > D
        dL/dW_n = -sum of dy where W < -D
        dL/dW = W_p dy where W > D,    dy where |W| <= D,    W_n dy where W < -D

    The minus of dL/dW_n is that of -W_n. dL/dW is a straight-through estimator, scaled by what the weight stands for.
    scale: W_p and W_n in this order, an array (2,), clipped to LEAST_SCALE .. MOST_SCALE before it is used; its
    gradient has its shape, and clipping it does not stop the gradient. D: the threshold, a number >= 0.
    """
    W_p, W_n = np.clip(scale, LEAST_SCALE, MOST_SCALE).astype(W.dtype)
    above, below, zero = W > D, W < -D, np.where(np.isnan(W), W, W.dtype.type(0))  # NaN stays NaN
    return (
        np.where(above, W_p, np.where(below, -W_n, zero)),
        lambda dy: np.where(above, W_p * dy, np.where(below, W_n * dy, dy)),
        lambda dy: np.array([np.where(above, dy, 0).sum(), -np.where(below, dy, 0).sum()], scale.dtype),
    )


def use_trained_ternary(p: Parameter, t: float = 0.05) -> TrainedTernary:
    """Let Parameter p use -W_n, 0 and W_p, and return its TrainedTernary. p's latent weights stay. t: from 0, below 1.

    W_p and W_n begin at the mean of |W| over the kept weights above D and below -D; `TrainedTernary.scale` must be
    among the parameters that the optimizer trains. ValueError for weights that are not finite.
    """
    t = options.number("use_trained_ternary: t", t, at_least=0, below=1)
    check_finite("use_trained_ternary: p", p.data)
    w = kept(p).astype(np.float64)
    D = t * np.abs(w).max(initial=0)
    means = [mean_magnitude(side) or 1.0 for side in (w[w > D], w[w < -D])]
    p.values = TrainedTernary(2, np.clip(means, LEAST_SCALE, MOST_SCALE).astype(p.dtype), t)
    return p.values
