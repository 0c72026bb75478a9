"""Values: a sum of M binary weights, each with a scale of its own.

    w = alpha_1 B_1 + ... + alpha_M B_M,    B_m of -1 and 1

Lin, Zhao & Pan 2017 ("Towards Accurate Binary Convolutional Neural Network", ABC-Net, arXiv 1711.11294, equation 2)
approximate a layer by such bases, so that M binary products take the place of a float one. They take B_m = sign(W -
mean(W) + u_m std(W)) with fixed u_m, which gives only M + 1 of the 2^M sums. Here the scales are found one after the
other, each the best one for what the earlier ones left (Guo et al. 2017, "Network Sketching", arXiv 1706.02021,
algorithm 1), and a weight takes the nearest of all 2^M sums.
"""

import numpy as np

from lightnn.compress.finite import check_finite
from lightnn.compress.transforms.base import transform
from lightnn.compress.transforms.binary import clip_latent
from lightnn.compress.transforms.levels import Measured, mean_magnitude
from lightnn.exercise import exercise
from lightnn.functional.binary import signs_of
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["BinaryBases", "use_binary_bases"]


@transform("binary-bases")
class BinaryBases(Measured):
    """bits: M, 1 to 4. fixed: the scales (M,) of the layer; NaN: measured on the kept weights at each use. A code has M
    bits, the places of the 2^M sums in ascending order. STE: dL/dW = dL/dw 1[|W| <= 1] (ABC-Net, equation 6)."""

    fewest_bits, most_bits = 1, 4

    @classmethod
    def count_scales(cls, bits):
        return bits

    def measure(self, w):
        return greedy_scales(w, self.bits)

    @staticmethod
    def levels(bits, scale):
        signs = 2.0 * (np.arange(2**bits)[:, None] >> np.arange(bits) & 1) - 1
        top = np.finfo(scale.dtype).max
        with np.errstate(over="ignore"):
            return np.sort(np.clip(signs @ scale.astype(np.float64), -top, top)).astype(scale.dtype)

    def codes(self, latent, scale):
        return nearest_level(latent, self.levels(self.bits, scale))

    def forward(self, latent: Tensor) -> Tensor:
        return saturating(latent, w=self.values_of(latent.data, self.scale_of(latent)))

    def project(self, latent):
        clip_latent(latent, out=latent)


@exercise("09.7")
def greedy_scales(W, M):
    """[alpha_1, ..., alpha_M], floats, for the weights W, a float64 array of any shape, and M >= 1 bases:

        R_1 = W,    R_(m+1) = R_m - alpha_m B_m
        B_m = sign(R_m),    alpha_m = E|R_m|

    Each base is the best one for what the earlier ones left (Guo et al. 2017, arXiv 1706.02021, algorithm 1); sign(0)
    is +1. For an empty W all are 0.0. W stays as it is.
    """
    R, scales = W, []
    for _ in range(M):
        scales.append(mean_magnitude(R))
        R = R - scales[-1] * signs_of(R)
    return scales


def nearest_level(W, levels):
    """The place of the nearest of `levels` for each weight, uint8; of two that are as near, the first."""
    codes, least = np.zeros(W.shape, np.uint8), np.full(W.shape, np.inf)
    for k, level in enumerate(levels):
        with np.errstate(over="ignore"):
            distance = np.abs(W - np.float64(level))
        codes[distance < least] = k
        least = np.minimum(distance, least)
    return codes


@op
def saturating(W, *, w):
    """w in the place of W. STE: dL/dW = dL/dw where |W| <= 1, else 0."""
    return w, lambda dy: np.where(np.abs(W) <= 1, dy, dy.dtype.type(0))


def use_binary_bases(p: Parameter, bits: int) -> BinaryBases:
    """Let Parameter p use sums of `bits` binary weights, 1 to 4, with scales of the layer, and return its BinaryBases,
    which measures them at each use. p's latent weights stay, and are clipped to [-1, 1] after each step. ValueError for
    weights that are not finite."""
    values = BinaryBases(bits)
    check_finite("use_binary_bases: p", p.data)
    p.values = values
    return values
