"""Values: a few values that all weights of a layer share (Han, Mao & Dally 2016, arXiv 1510.00149, section 3)."""

import numpy as np

from lightnn.compress.transforms.base import Transform, transform
from lightnn.exercise import exercise
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["Codebook", "look_up"]

MOST_VALUES = 65536


@transform("codebook")
class Codebook(Transform):
    """Codebook(c, I), for a Parameter's slot `values`: w_ij = c_(I_ij), one of k shared values.

    codebook: c, k values, learned. codes: the index I of each weight, an integer array of the weight's shape, frozen.
    The latent array is not used any more and gets no gradient.
    """

    buffers = ("codes",)
    parts = ("codebook", "codes")
    per_weight = ("codes",)

    def __init__(self, codebook: np.ndarray, codes: np.ndarray):
        codes, k = np.asarray(codes), np.shape(codebook)
        if len(k) != 1 or not 1 <= k[0] <= MOST_VALUES:
            raise ValueError(f"Codebook: want 1 to {MOST_VALUES} values in one dimension, got shape {k}")
        if codes.dtype.kind not in "iu" or (codes.size and not 0 <= codes.min() <= codes.max() < k[0]):
            raise ValueError(f"Codebook: want integer codes from 0 to {k[0] - 1}, got dtype {codes.dtype}")
        self.codebook = Parameter(np.array(codebook))
        self.codes = codes.astype(np.min_scalar_type(k[0] - 1))

    def forward(self, latent: Tensor) -> Tensor:
        if latent.shape != self.codes.shape:
            raise ValueError(f"Codebook: want a weight of the codes' shape {self.codes.shape}, got {latent.shape}")
        return look_up(self.codebook, codes=self.codes)

    def encode(self, latent):
        return {"codebook": self.codebook.data, "codes": self.codes}

    @classmethod
    def decode(cls, parts):
        return cls.restore(parts)(Tensor(np.empty(np.shape(parts["codes"])))).data

    @classmethod
    def restore(cls, parts):
        return cls(parts["codebook"], parts["codes"])

    def take(self, keep, axis):
        return Codebook(self.codebook.data, np.take(self.codes, keep, axis))

    def extra_repr(self) -> str:
        k = len(self.codebook)
        return f"{k} values, {(k - 1).bit_length()} bits"


@exercise("04.2")
@op
def look_up(codebook, *, codes):
    """w_ij = c_(I_ij), and the gradient of the centres c (equation 3 of arXiv 1510.00149):

        dL/dc_k = sum_ij dL/dw_ij 1(I_ij = k)

    codebook: the centres c, a vector; codes: I, integers from 0. Returns the pair that `op` wants: w, with the shape of
    codes and the dtype of c, and a function from dL/dw to dL/dc. The gradient of a centre that no weight uses is 0.
    """
    k = len(codebook)
    return codebook[codes], lambda dy: np.bincount(codes.ravel(), dy.ravel(), k).astype(dy.dtype)
