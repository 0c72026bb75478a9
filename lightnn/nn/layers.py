"""Layers, with PyTorch's argument names, order and defaults. A layer keeps its constructor's arguments as attributes
and calls one function of `lightnn.functional`. `rng` is a Generator or a seed; None means seed 0."""

import math

from lightnn import functional as F
from lightnn import options
from lightnn.functional.shape import same_padding
from lightnn.nn import init
from lightnn.nn.module import Module, Parameter
from lightnn.options import Pair
from lightnn.tensor import Tensor

Rng = options.Rng | None


class Linear(Module):
    """y = x w^T + b; weight (out_features, in_features), bias (out_features,)."""

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, rng: Rng = None):
        in_features, out_features = options.counts("Linear", in_features=in_features, out_features=out_features)
        bias, rng = options.flag("Linear: bias", bias), init.generator(rng)
        self.in_features, self.out_features = in_features, out_features
        self.weight = Parameter(init.kaiming_uniform((out_features, in_features), in_features, rng))
        self.bias = Parameter(init.uniform((out_features,), 1 / math.sqrt(in_features), rng)) if bias else None

    def fit_sizes(self):
        self.out_features, self.in_features = self.weight.shape

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight(), _value(self.bias))


class Conv2d(Module):
    """2-D convolution; weight (out_channels, in_channels/groups, KH, KW), bias (out_channels,)."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
        *,
        rng: Rng = None,
    ):
        sizes = {"in_channels": in_channels, "out_channels": out_channels, "groups": groups}
        self.in_channels, self.out_channels, self.groups = options.counts("Conv2d", **sizes)
        if self.in_channels % self.groups or self.out_channels % self.groups:
            raise ValueError(
                f"Conv2d: want channels divisible by groups={groups}, got {in_channels} and {out_channels}"
            )
        self.kernel_size = options.pair("Conv2d: kernel_size", kernel_size, at_least=1)
        self.stride = options.pair("Conv2d: stride", stride, at_least=1)
        self.padding = options.pair("Conv2d: padding", padding)
        self.dilation = options.pair("Conv2d: dilation", dilation, at_least=1)
        bias, rng = options.flag("Conv2d: bias", bias), init.generator(rng)
        shape = (self.out_channels, self.in_channels // self.groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        self.weight = Parameter(init.kaiming_uniform(shape, fan_in, rng))
        self.bias = Parameter(init.uniform(shape[:1], 1 / math.sqrt(fan_in), rng)) if bias else None

    def fit_sizes(self):
        """The number of groups stays, except in a depthwise convolution: there it is the number of channels."""
        out, per_group = self.weight.shape[:2]
        if self.groups == self.in_channels > 1:
            self.groups = out * self.groups // self.out_channels
        self.out_channels, self.in_channels = out, per_group * self.groups

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(
            x,
            self.weight(),
            _value(self.bias),
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
        )


class Identity(Module):
    """x itself."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class Flatten(Module):
    """x (N, ...) with all axes from start_dim on merged into one."""

    def __init__(self, start_dim: int = 1):
        self.start_dim = options.whole("Flatten: start_dim", start_dim)

    def forward(self, x: Tensor) -> Tensor:
        return F.flatten(x, start_dim=self.start_dim)


class MaxPool2d(Module):
    """The largest element in each window; stride defaults to kernel_size."""

    def __init__(self, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, *, ceil_mode: bool = False):
        self.kernel_size = options.pair("MaxPool2d: kernel_size", kernel_size, at_least=1)
        self.stride = self.kernel_size if stride is None else options.pair("MaxPool2d: stride", stride, at_least=1)
        self.padding = options.pair("MaxPool2d: padding", padding)
        self.ceil_mode = options.flag("MaxPool2d: ceil_mode", ceil_mode)

    def forward(self, x: Tensor) -> Tensor:
        window = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        return F.max_pool2d(x, **window, ceil_mode=self.ceil_mode)


class AvgPool2d(Module):
    """The mean of each window; stride defaults to kernel_size."""

    def __init__(
        self,
        kernel_size: Pair,
        stride: Pair | None = None,
        padding: Pair = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        self.kernel_size = options.pair("AvgPool2d: kernel_size", kernel_size, at_least=1)
        self.stride = self.kernel_size if stride is None else options.pair("AvgPool2d: stride", stride, at_least=1)
        self.padding = options.pair("AvgPool2d: padding", padding)
        self.ceil_mode = options.flag("AvgPool2d: ceil_mode", ceil_mode)
        self.count_include_pad = options.flag("AvgPool2d: count_include_pad", count_include_pad)

    def forward(self, x: Tensor) -> Tensor:
        window = {"kernel_size": self.kernel_size, "stride": self.stride, "padding": self.padding}
        return F.avg_pool2d(x, **window, ceil_mode=self.ceil_mode, count_include_pad=self.count_include_pad)


class AdaptiveAvgPool2d(Module):
    """Means over output_size windows of nearly equal size."""

    def __init__(self, output_size: Pair):
        self.output_size = options.pair("AdaptiveAvgPool2d: output_size", output_size, at_least=1)

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(x, output_size=self.output_size)


class SamePad2d(Module):
    """Zeros around x (N, C, H, W), so that a convolution without padding gives ceil(H / s) rows: TensorFlow's "SAME".

        p = max((ceil(H / s) - 1) s + K - H, 0),     p // 2 above, the rest below;     columns likewise

    At stride 2 an even H and K = 3 get p = 1, a row below only; PyTorch's padding=1 has one above too, which the
    filters then see at other pixels. kernel_size, stride: those of the convolution.
    """

    def __init__(self, kernel_size: Pair, stride: Pair = 1):
        self.kernel_size = options.pair("SamePad2d: kernel_size", kernel_size, at_least=1)
        self.stride = options.pair("SamePad2d: stride", stride, at_least=1)

    def forward(self, x: Tensor) -> Tensor:
        if len(x.shape) != 4:
            raise ValueError(f"SamePad2d: want x (N, C, H, W); got x {x.shape}")
        vertical, horizontal = map(same_padding, x.shape[2:], self.kernel_size, self.stride)
        pairs = (*horizontal, *vertical)
        return F.pad(x, padding=pairs) if any(pairs) else x


def _value(parameter):
    return None if parameter is None else parameter()
