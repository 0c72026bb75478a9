"""Layers with product-quantized weights: they hold codes of blocks, and a codebook in the weight's own dtype, which is
widened once.

A fully connected layer looks the products of blocks and centroids up (kernels/quantized/look_up_tables.py) where that
is less work, at small batches; a larger batch, and a convolution, first write the weights out and then compute as the
dense layer does: they save memory, not time.
"""

import numpy as np

from lightnn import functional as F
from lightnn import nn
from lightnn.functional import check
from lightnn.kernels.quantized import look_up_tables
from lightnn.runtime.look_up import CodebookConv2d, LookUp
from lightnn.runtime.registry import lowers
from lightnn.tensor import Tensor, op

TABLES_UP_TO = 4  # images of a batch: beyond, one dense product is faster than as many walks over the codes


def _macs(y, x, codes, codebook, b):
    return len(x) * codebook.size * len(codes)


@op(weights=("codes", "b"), macs=_macs)
def product_linear(x, codes, codebook, b=None):
    """y (N, O) = x (N, I) w' + b, by tables, of codes (B, O) and the codebook (k, d), I = B d. MACs: N k I, and N B O
    entries of tables are added."""
    check.floating("ProductLinear", x=x, codebook=codebook, b=b)
    wide = len(codes) * codebook.shape[1]
    check.shape("ProductLinear", f"x (N, {wide})", x.ndim == 2 and x.shape[1] == wide, x=x)
    y = look_up_tables.linear(x, codes, codebook)
    if b is not None:
        y += b
    return y, None, None, None, None


class ProductWeight:
    """What both layers have in common, in front of LookUp. codes (B, O): block by block, as the tables are walked.
    codebook: c (k, d), of the numbers that are stored."""

    def held(self, p):
        parts = p.values.encode(p.data)
        self.size = p.shape
        return np.ascontiguousarray(parts["codes"].reshape(len(p), -1).T), parts["codebook"].astype(p.dtype)

    def weight(self) -> Tensor:
        """Block p = c_(I_p)."""
        return Tensor(self.codebook[self.codes.T].reshape(self.size))

    @property
    def dense_bytes(self):
        return int(np.prod(self.size)) * self.codebook.itemsize + (0 if self.bias is None else self.bias.nbytes)

    def extra_repr(self):
        k, d = self.codebook.shape
        return f"weight {self.size}, {k} centroids of {d} weights"


@lowers(nn.Linear, values="product")
class ProductLinear(ProductWeight, LookUp):
    """An nn.Linear whose weight has a Product."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        if np.ndim(getattr(x, "data", x)) == 2 and len(x) <= TABLES_UP_TO:
            return product_linear(x, self.codes, self.codebook, self.bias)
        return F.linear(x, self.weight(), self.bias)


@lowers(nn.Conv2d, values="product")
class ProductConv2d(ProductWeight, CodebookConv2d):
    """An nn.Conv2d of any number of groups whose weight has a Product."""
