"""Layers that compute on the stored form of a pruned weight. They only run: no training, no gradient, no tape.

Each holds the kept elements of its weight in rows (CSR, see csr.py): `values`, or uint8 or uint16 codes of shared
values and their `codebook`; int32 `columns` and `pointers`; `bias`. The result is that of the layer with zeros in its
weight, added up in the same order. Only NaN and infinity in x differ: an element that is not stored meets none.

The two ops below have no vjp: nothing is recorded, but metrics.trace sees them.
"""

import math
from typing import NamedTuple

import numpy as np

from lightnn import nn
from lightnn.functional import check
from lightnn.functional.conv import output_size
from lightnn.kernels.matrix import sparse
from lightnn.kernels.matrix.sparse_linear import linear
from lightnn.runtime.csr import to_csr
from lightnn.runtime.registry import RunsOnly, codes_and_codebook, lowers
from lightnn.tensor import op

NO_GRADIENTS = (None,) * 6


class Window(NamedTuple):
    """What a filter sees: so many channels, through a kernel that moves by stride; pairs (vertical, horizontal)."""

    channels: int
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]


def _macs(y, x, values, columns, pointers, codebook, b):
    """Each stored element once for each output position."""
    return values.size * (y.size // (pointers.size - 1))


@op(weights=("values", "b"), macs=_macs)
def sparse_linear(x, values, columns, pointers, codebook, b=None, *, in_features):
    """y (..., O) = x (..., I) w^T + b, w (O, I) stored in rows. MACs: stored elements * rows of x."""
    check.floating("SparseLinear", x=x, weight=codebook, b=b)
    check.shape("SparseLinear", f"x (..., {in_features})", x.ndim >= 1 and x.shape[-1] == in_features, x=x)
    y = linear(sparse.Rows(values, codebook, columns, pointers), x.reshape(-1, in_features))
    if b is not None:
        y += b
    return y.reshape(*x.shape[:-1], y.shape[1]), *NO_GRADIENTS


@op(weights=("values", "b"), macs=_macs)
def sparse_conv2d(x, values, columns, pointers, codebook, b=None, *, window):
    """y (N, O, Ho, Wo) of x (N, C, H, W) and w (O, C, KH, KW), stored in rows (O, C*KH*KW). MACs: stored elements * N *
    Ho * Wo."""
    channels, kernel, stride, padding, dilation = window
    check.floating("SparseConv2d", x=x, weight=codebook, b=b)
    check.shape("SparseConv2d", f"x (N, {channels}, H, W)", x.ndim == 4 and x.shape[1] == channels, x=x)
    output_size("SparseConv2d", x.shape[2:], kernel, stride, padding, dilation)
    (ph, pw), w = padding, sparse.Rows(values, codebook, columns, pointers)
    return sparse.conv2d(w, x, b, kernel, stride, (ph, ph, pw, pw), dilation), *NO_GRADIENTS


class Sparse(RunsOnly):
    """What the two layers have in common: the stored form of `layer.weight`, which has a Mask, and of `layer.bias`."""

    buffers = ("values", "columns", "pointers", "codebook")

    def __init__(self, layer: nn.Module):
        weight, mask = layer.weight, layer.weight.support.mask.reshape(len(layer.weight), -1)
        coded = weight.values is not None
        full, codebook = codes_and_codebook(weight) if coded else (weight().data, np.empty(0, weight.dtype))
        self.weight_shape = weight.shape
        self.values, self.columns, self.pointers = to_csr(full.reshape(mask.shape), mask)
        self.codebook = codebook
        self.bias = None if layer.bias is None else layer.bias().data.copy()
        if self.bias is not None:
            self.buffers = (*self.buffers, "bias")

    def arrays(self):
        """What the ops take after x."""
        return self.values, self.columns, self.pointers, self.codebook, self.bias

    def stored(self):
        return dict(zip(("values", "indices", "pointers", "codebook", "bias"), self.arrays()))

    @property
    def dense_bytes(self):
        return math.prod(self.weight_shape) * self.codebook.itemsize + (0 if self.bias is None else self.bias.nbytes)

    def extra_repr(self):
        return f"weight {self.weight_shape}, stored={len(self.values)}, codebook={len(self.codebook)}"


@lowers(nn.Linear, support="mask")
@lowers(nn.Linear, values="codebook", support="mask")
@lowers(nn.Linear, values="soft", support="mask")
class SparseLinear(Sparse):
    """An nn.Linear whose weight has a Mask, from its stored form."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        return sparse_linear(x, *self.arrays(), in_features=self.weight_shape[1])


@lowers(nn.Conv2d, support="mask")
@lowers(nn.Conv2d, values="codebook", support="mask")
@lowers(nn.Conv2d, values="soft", support="mask")
class SparseConv2d(Sparse):
    """An nn.Conv2d of one group whose weight has a Mask, from its stored form."""

    def __init__(self, layer):
        super().__init__(layer)
        _, channels, *kernel = self.weight_shape
        self.window = Window(channels, tuple(kernel), layer.stride, layer.padding, layer.dilation)

    @staticmethod
    def refuses(layer):
        return None if layer.groups == 1 else f"it has {layer.groups} groups, and the sparse kernel takes one"

    def forward(self, x):
        self.check_that_it_runs_only(x)
        return sparse_conv2d(x, *self.arrays(), window=self.window)
