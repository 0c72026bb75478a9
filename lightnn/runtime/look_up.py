"""Layers with shared weights that hold codes and a codebook, and look each weight up when they run.

They save memory, not time: a layer of 256 values or fewer holds a quarter of its float32 weights, and every run first
writes the weights out, then computes as the dense layer does. What it gives is equal bit for bit.
"""

from lightnn import functional as F
from lightnn import nn
from lightnn.runtime.registry import RunsOnly, codes_and_codebook, lowers
from lightnn.tensor import Tensor


class LookUp(RunsOnly):
    """What the two layers have in common: `codes`, `codebook` and `bias` of a layer with few different weights."""

    buffers = ("codes", "codebook")

    def __init__(self, layer: nn.Module):
        self.codes, self.codebook = self.held(layer.weight)
        self.bias = None if layer.bias is None else layer.bias().data.copy()
        if self.bias is not None:
            self.buffers = (*self.buffers, "bias")

    def held(self, p: nn.Parameter):
        """(codes, codebook) of the layer's weight."""
        return codes_and_codebook(p)

    def weight(self) -> Tensor:
        """w_ij = c_{I_ij} (Han, Mao & Dally 2016, arXiv 1510.00149, section 3)."""
        return Tensor(self.codebook[self.codes])

    def stored(self):
        return {"values": self.codes, "codebook": self.codebook, "bias": self.bias}

    @property
    def dense_bytes(self):
        return self.codes.size * self.codebook.itemsize + (0 if self.bias is None else self.bias.nbytes)

    def extra_repr(self):
        return f"weight {self.codes.shape}, {len(self.codebook)} values"


@lowers(nn.Linear, values="codebook")
@lowers(nn.Linear, values="soft")
class CodebookLinear(LookUp):
    """An nn.Linear whose weight has a Codebook or a SoftQuantizer."""

    def forward(self, x):
        self.check_that_it_runs_only(x)
        return F.linear(x, self.weight(), self.bias)


@lowers(nn.Conv2d, values="codebook")
@lowers(nn.Conv2d, values="soft")
class CodebookConv2d(LookUp):
    """An nn.Conv2d of any number of groups whose weight has a Codebook or a SoftQuantizer."""

    def __init__(self, layer):
        super().__init__(layer)
        self.options = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}

    def forward(self, x):
        self.check_that_it_runs_only(x)
        return F.conv2d(x, self.weight(), self.bias, **self.options)
