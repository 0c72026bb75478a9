"""Values: evenly spaced weights whose step is learned (Esser et al. 2020, "Learned Step Size Quantization", arXiv
1902.08153).

    v_bar = round(clip(v / s, -Q_N, Q_P)),    v_hat = s v_bar            (section 2)

v are the latent weights, s > 0 is the step, Q_N = 2^(K-1), Q_P = 2^(K-1) - 1. `functional.lsq` has the gradients.
"""

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.levels import Learned, kept, mean_magnitude
from lightnn.functional.kbit import lsq, lsq_range
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.nn import Parameter
from lightnn.tensor import Tensor

__all__ = ["LSQ", "use_lsq"]


@transform("lsq")
class LSQ(Learned):
    """bits: K, 2 to 8. scale: s, a Parameter (1,)."""

    @staticmethod
    def levels(bits, scale):
        Q_N, Q_P = lsq_range(bits, signed=True)
        return np.arange(-Q_N, Q_P + 1).astype(scale.dtype) * scale

    def codes(self, latent, scale):
        Q_N, Q_P = lsq_range(self.bits, signed=True)
        with np.errstate(over="ignore"):
            return np.rint(np.clip(latent / scale[0], -Q_N, Q_P)).astype(np.int16) + Q_N

    def forward(self, latent: Tensor) -> Tensor:
        return lsq(latent, self.scale, bits=self.bits, signed=True, n=max(latent.size, 1))


def use_lsq(p: Parameter, bits: int) -> LSQ:
    """Let Parameter p use 2^bits evenly spaced values, 2 to 8 bits, and return its LSQ. p's latent weights stay.

    The step begins at 2 E|v| / sqrt(Q_P) of the kept weights (section 2.1); `LSQ.scale` must be among the parameters
    that the optimizer trains. ValueError for weights that are not finite.
    """
    bits = options.count("use_lsq: bits", bits, 2, 8)
    check_finite("use_lsq: p", p.data)
    p.values = LSQ(bits, first_step(kept(p), lsq_range(bits, signed=True)[1]))
    return p.values


def first_step(w, Q_P):
    """2 E|v| / sqrt(Q_P), an array (1,) in w's dtype; 1 if all are 0."""
    s = 2 * min(mean_magnitude(w.astype(np.float64)), MOST_SCALE) / np.sqrt(Q_P)
    return np.clip([s or 1.0], LEAST_SCALE, MOST_SCALE).astype(w.dtype)
