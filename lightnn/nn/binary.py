"""Layers with activations of one bit. Their block order is batch norm, sign, layer, pooling (Rastegari et al. 2016,
"XNOR-Net", arXiv 1603.05279, section 3.2): the sign sees centred numbers, and the largest of sums is pooled, not of
signs, most of which are +1 in every window."""

from lightnn import functional as F
from lightnn.nn.layers import Conv2d, Linear, Rng
from lightnn.nn.module import Module
from lightnn.options import Pair
from lightnn.tensor import Tensor


class Sign(Module):
    """+1 where x >= 0, else -1, with the gradient of the hard tanh (STE; `functional.sign`)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.sign(x)


class ApproxSign(Module):
    """+1 where x >= 0, else -1, with the gradient of Bi-Real's two parabolas (STE; `functional.approx_sign`)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.approx_sign(x)


class XnorConv2d(Conv2d):
    """y = (sign(x) * w) K + b, a convolution of signs that is scaled back by its input: K = A * k is
    `functional.input_scale` (arXiv 1603.05279, section 3.2). With binary filters as weights, w carries alpha.

    The arguments are Conv2d's, without dilation and groups. The padding is 0, neither +1 nor -1.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        bias: bool = True,
        *,
        rng: Rng = None,
    ):
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, bias=bias, rng=rng)

    def forward(self, x: Tensor) -> Tensor:
        how = {"stride": self.stride, "padding": self.padding}
        y = F.conv2d(F.sign(x), self.weight(), None, **how)
        y = y * F.input_scale(x, kernel_size=self.kernel_size, **how)
        return y if self.bias is None else y + self.bias().reshape(1, -1, 1, 1)


class XnorLinear(Linear):
    """y = (sign(x) w^T) E|x| + b for x (..., in_features): each row of signs is scaled back by the mean of |x| in it.
    It is XnorConv2d with one window for the whole input."""

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(F.sign(x), self.weight(), None) * abs(x).mean(-1, keepdims=True)
        return y if self.bias is None else y + self.bias()
