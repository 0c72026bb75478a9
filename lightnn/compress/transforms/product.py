"""Values: product quantization (Jégou, Douze & Schmid 2011; for networks Stock et al. 2020, "And the Bit Goes Down:
Revisiting the Quantization of Neural Networks", arXiv 1907.05686, section 3).

    W, flattened to a row for each output, is cut into blocks of d weights;  block p = c_(I_p)

A layer has one codebook of k blocks. A block's code takes log2(k) bits, so a weight takes log2(k) / d of a bit or more.
Codes and centroids are found by `product_quantize` (compress/quantization/product_codes.py).
"""

import math

import numpy as np

from lightnn import options
from lightnn.compress.transforms.base import Transform, transform
from lightnn.exercise import exercise
from lightnn.nn import Parameter
from lightnn.tensor import Tensor, op

__all__ = ["Product", "blocks_of", "look_up_blocks", "mean_gradient", "rounded_to_half"]

MOST_CENTROIDS = 65536
HALF = {np.dtype(np.float64): np.dtype(np.float32), np.dtype(np.float32): np.dtype(np.float16)}
WHOLE = {half: whole for whole, half in HALF.items()}


@transform("product")
class Product(Transform):
    """Product(c, I, shape), for a Parameter's slot `values`: the blocks of the weight are c_(I_p).

    codebook: c (k, d), learned, and used as it is stored: in half as many bits as the weight, float16 for float32.
    codes: I, an integer array, (O, blocks of a row) for a weight of O outputs; frozen. shape: the weight's.
    The latent array is not used any more and gets no gradient.
    """

    buffers = ("codes",)
    parts = ("codebook", "codes", "shape")

    def __init__(self, codebook: np.ndarray, codes: np.ndarray, shape: tuple[int, ...]):
        codebook, codes = np.asarray(codebook), np.asarray(codes)
        self.size = tuple(options.times("Product: shape", n) for n in shape)
        if codebook.ndim != 2 or not 1 <= len(codebook) <= MOST_CENTROIDS or not codebook.shape[1]:
            raise ValueError(f"Product: want 1 to {MOST_CENTROIDS} centroids (k, d), got {codebook.shape}")
        if codebook.dtype not in HALF or not np.isfinite(codebook).all():
            raise ValueError(f"Product: want finite centroids in float32 or float64, got {codebook.dtype}")
        if codes.dtype.kind not in "iu" or (codes.size and not 0 <= codes.min() <= codes.max() < len(codebook)):
            raise ValueError(f"Product: want integer codes from 0 to {len(codebook) - 1}, got dtype {codes.dtype}")
        if codes.size * codebook.shape[1] != math.prod(self.size):
            raise ValueError(f"Product: want codes for the {math.prod(self.size)} weights of {self.size} in blocks of "
                             f"{codebook.shape[1]}, got {codes.size}")  # fmt: skip
        self.codebook = Parameter(np.array(codebook))
        self.codes = codes.astype(np.min_scalar_type(len(codebook) - 1))

    def forward(self, latent: Tensor) -> Tensor:
        if latent.shape != self.size:
            raise ValueError(f"Product: want a weight of shape {self.size}, got {latent.shape}")
        return look_up_blocks(rounded_to_half(self.codebook()), codes=self.codes).reshape(self.size)

    def encode(self, latent):
        half = HALF[self.codebook.data.dtype]
        return {"codebook": to_half(self.codebook.data, half), "codes": self.codes, "shape": np.array(self.size, int)}

    @classmethod
    def decode(cls, parts):
        made = cls.restore(parts)
        return made(Tensor(np.empty(made.size, made.codebook.data.dtype))).data

    @classmethod
    def restore(cls, parts):
        codebook, shape = np.asarray(parts["codebook"]), np.asarray(parts["shape"])
        if codebook.dtype not in WHOLE or shape.ndim != 1:
            raise ValueError(f"Product: want float16 or float32 centroids and a shape, got {codebook.dtype}, {shape}")
        return cls(codebook.astype(WHOLE[codebook.dtype]), parts["codes"], tuple(int(n) for n in shape))

    def take(self, keep, axis):
        """Along axis 0, rows of codes. Along axis 1, whole blocks: ValueError if blocks would be cut."""
        size = list(self.size)
        codes = self.codes.reshape(size[0], -1) if size and size[0] else self.codes
        inner = math.prod(size[axis + 1 :])  # weights that go with one index
        d = self.codebook.shape[1]
        if axis == 0 and codes.ndim == 2 and codes.shape[1] * d == inner:
            taken = codes[keep]
        elif axis == 1 and inner % d == 0:
            taken = np.take(codes.reshape(size[0], size[1], inner // d), keep, 1)
        else:
            raise ValueError(f"Product: want indices along an axis that blocks of {d} do not cross, got axis {axis} of "
                             f"{self.size}")  # fmt: skip
        size[axis] = len(np.arange(size[axis])[keep])
        return Product(self.codebook.data, taken.reshape(size[0], -1) if taken.size else taken, tuple(size))

    def extra_repr(self) -> str:
        k, d = self.codebook.shape
        return f"{k} centroids of {d} weights, {math.log2(k) / d:.3g} bits a weight"


def to_half(c: np.ndarray, half: np.dtype) -> np.ndarray:
    """c in half as many bits; what is too large becomes the largest number."""
    largest = np.finfo(half).max
    return np.clip(c, -float(largest), float(largest)).astype(half)


@op
def rounded_to_half(c):
    """c as it is stored: rounded to float16 (float64 to float32). STE: the gradient passes unchanged."""
    return to_half(c, HALF[c.dtype]).astype(c.dtype), lambda dy: dy


@op
def look_up_blocks(c, *, codes):
    """The blocks c_(I_p), (number of codes, d), of the centroids c (k, d), and the exact gradient of the centroids:

        dL/dc_j = sum_p dL/dw_p 1(I_p = j)

    The paper steps along its mean over a centroid's blocks; that is the optimizer's part (CentroidSGD)."""
    k, flat = len(c), codes.ravel()

    def vjp(dy):
        return np.stack([np.bincount(flat, column, k) for column in dy.T], axis=1).astype(dy.dtype)

    return c[flat], vjp


@exercise("06.3")
def blocks_of(w, d):
    """The blocks of a weight w (O, ...), as rows of a new array (O n, d) in w's dtype (arXiv 1907.05686, section 3.1
    and, for convolutions, 3.3):

        w[o], the weights of an output, are flattened in C order
        and cut into n = w[o].size / d pieces of d numbers

    The blocks of the first output come first, in their order. Of w (O, C, 3, 3), a 3x3 kernel is a block for d = 9, and
    the kernels of two neighbouring channels are one for d = 18. w stays as it is. ValueError unless d is an int >= 1, w
    has at least one axis and one weight, and d divides w[0].size.
    """
    d = options.count("blocks_of: d", d)
    if not np.ndim(w) or not w.size or w[0].size % d:
        raise ValueError(f"blocks_of: want a weight (O, ...) whose rows are a multiple of d = {d}, got {np.shape(w)}")
    return np.array(w).reshape(-1, d)


@exercise("06.4")
def mean_gradient(dc, codes):
    """The direction in which a centroid moves (arXiv 1907.05686, section 3.4): the mean of its blocks' gradients, in
    the shape and dtype of dc (k, d). dc is their sum, which backpropagation gives:

        mean_j = dc_j / |J_j|,    J_j = {p : I_p = j}

    So a centroid of many blocks takes no larger steps than one of few. codes: I, integers from 0 to k - 1, of any
    shape. A centroid without blocks has a sum of 0, and keeps it. dc is float32 or float64; dc and codes stay as they
    are.
    """
    count = np.bincount(codes.ravel(), minlength=len(dc))
    return dc / np.maximum(count, 1)[:, None].astype(dc.dtype)
