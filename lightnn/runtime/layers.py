"""Layers that compute on the stored form of a pruned weight. They only run: no training, no gradient, no tape.

Each holds the kept elements of its weight in rows (CSR, see csr.py): `values`, or uint8 or uint16 codes of shared
values and their `codebook`; int32 `columns` and `pointers`; `bias`. What is computed is what the layer with zeros in
its weight gives, added up in the same order; only NaN and infinity differ, since an element that is not stored meets
none.

The two ops below have no vjp: nothing is recorded, and whoever watches the ops of a run (metrics.trace) sees them.
"""

import numpy as np

from lightnn.compress import Codebook
from lightnn.functional import check
from lightnn.functional.conv import output_size
from lightnn.kernels.matrix import sparse
from lightnn.kernels.matrix.sparse_linear import linear
from lightnn.nn import Module
from lightnn.runtime.csr import to_csr
from lightnn.tensor import Tensor, op

NO_GRADIENTS = (None,) * 6


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
def sparse_conv2d(x, values, columns, pointers, codebook, b=None, *, channels, kernel, stride, padding, dilation):
    """y (N, O, Ho, Wo) of x (N, C, H, W) and w (O, C, KH, KW), stored in rows (O, C*KH*KW). MACs: stored elements * N *
    Ho * Wo."""
    check.floating("SparseConv2d", x=x, weight=codebook, b=b)
    check.shape("SparseConv2d", f"x (N, {channels}, H, W)", x.ndim == 4 and x.shape[1] == channels, x=x)
    output_size("SparseConv2d", x.shape[2:], kernel, stride, padding, dilation)
    (ph, pw), w = padding, sparse.Rows(values, codebook, columns, pointers)
    return sparse.conv2d(w, x, b, kernel, stride, (ph, ph, pw, pw), dilation), *NO_GRADIENTS


class Sparse(Module):
    """What the two layers share: the stored form of `layer.weight`, a Parameter with a Mask, and of `layer.bias`."""

    buffers = ("values", "columns", "pointers", "codebook")
    training = False

    def __init__(self, layer):
        weight, mask = layer.weight, layer.weight.support.mask.reshape(len(layer.weight), -1)
        coded = isinstance(weight.values, Codebook)
        full = weight.values.codes if coded else weight().data
        self.weight_shape = weight.shape
        self.values, self.columns, self.pointers = to_csr(full.reshape(mask.shape), mask)
        self.codebook = weight.values.codebook.data.copy() if coded else np.empty(0, weight.dtype)
        self.bias = None if layer.bias is None else layer.bias().data.copy()
        if self.bias is not None:
            self.buffers = (*self.buffers, "bias")

    def stored(self):
        """The arrays that the ops take after x."""
        return self.values, self.columns, self.pointers, self.codebook, self.bias

    def check_that_it_runs_only(self, x):
        name = type(self).__name__
        if self.training:
            raise RuntimeError(f"{name}: a lowered network does not train; call eval(), or train what it was made from")
        if isinstance(x, Tensor) and x.requires_grad:
            raise RuntimeError(
                f"{name}: a lowered network gives no gradient; want an x without one, such as x.detach()"
            )

    def extra_repr(self):
        return f"weight {self.weight_shape}, stored={len(self.values)}, codebook={len(self.codebook)}"


class SparseLinear(Sparse):
    """An nn.Linear whose weight has a Mask, from its stored form."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        return sparse_linear(x, *self.stored(), in_features=self.weight_shape[1])


class SparseConv2d(Sparse):
    """An nn.Conv2d of one group whose weight has a Mask, from its stored form."""

    def __init__(self, layer):
        super().__init__(layer)
        self.stride, self.padding, self.dilation = layer.stride, layer.padding, layer.dilation

    def forward(self, x):
        self.check_that_it_runs_only(x)
        _, channels, *kernel = self.weight_shape
        geometry = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        return sparse_conv2d(x, *self.stored(), channels=channels, kernel=tuple(kernel), **geometry)
