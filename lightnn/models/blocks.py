"""What several families are made of: convolution with batch norm and activation, squeeze-and-excitation, widths.

Where a block adds, multiplies or lists maps, what comes of it goes through an nn.Identity named `joined`: there
quantization puts its codes, and it has no state.
"""

from collections.abc import Callable

import numpy as np

from lightnn import nn, options
from lightnn.exercise import exercise
from lightnn.models.registry import Rng

__all__ = []


def checked(
    where: str, num_classes: int, in_channels: int, width_mult: float, rng: Rng
) -> tuple[int, int, float, np.random.Generator]:
    """The arguments that every family has, after a check; the generator made from rng."""
    num_classes, in_channels = options.counts(where, num_classes=num_classes, in_channels=in_channels)
    width_mult = options.number(f"{where}: width_mult", width_mult, above=0, at_most=100)
    return num_classes, in_channels, width_mult, nn.init.generator(rng)


def conv_norm(
    c_in: int,
    c_out: int,
    kernel: int | tuple[int, int],
    stride: int = 1,
    groups: int = 1,
    act: Callable | None = nn.ReLU,
    norm: Callable = nn.BatchNorm2d,
    *,
    rng: Rng,
) -> nn.Sequential:
    """Convolution without bias, batch norm, activation: the unit of most networks after 2015. The padding keeps the
    size at stride 1. act: a layer, or None; norm: a layer of so many channels."""
    padding = tuple(k // 2 for k in kernel) if isinstance(kernel, tuple) else kernel // 2
    conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, groups=groups, bias=False, rng=rng)
    return nn.Sequential(conv, norm(c_out), *([act()] if act else []))


class SqueezeExcitation(nn.Module):
    """Each channel times a gate between 0 and 1 that the means of all channels decide (Hu et al. 2018, arXiv
    1709.01507, equations 2 to 4): y = x gate(fc2 act(fc1 z)), z_c = mean of x_c.

    The two fully connected layers are 1x1 convolutions of one pixel, as in torchvision.
    """

    def __init__(self, channels, squeezed, act, gate, rng):
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, squeezed, 1, rng=rng)
        self.fc2 = nn.Conv2d(squeezed, channels, 1, rng=rng)
        self.activation, self.scale_activation, self.joined = act(), gate(), nn.Identity()

    def forward(self, x):
        return self.joined(x * self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(x))))))


def scaled(channels: int, width_mult: float) -> int:
    """So many channels, rounded down, at least one (MobileNet V1's rule)."""
    return max(1, int(channels * width_mult))


@exercise("13.3")
def round_filters(channels: float, width_mult: float = 1.0, divisor: int = 8) -> int:
    """So many channels, rounded to a multiple of the divisor, an int (the rule of MobileNet V2, V3, MnasNet and
    EfficientNet, in their authors' code): with c = channels * width_mult, the multiple nearest to c, the larger one of
    two that are equally near, and at least `divisor`; but the next larger multiple if this one is below 0.9 c.

    channels, width_mult: numbers > 0. divisor: an int >= 1.
    """
    c = channels * width_mult
    rounded = max(divisor, int(c + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * c else rounded


def he_weights(model: nn.Module, rng: np.random.Generator) -> None:
    """Weights of convolutions that keep the size of what passes through ReLUs, zero biases (He et al. 2015, arXiv
    1502.01852, equation 10): for networks without batch norm, which the layers' own weights would let fade."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            fan_in = m.weight.size // m.out_channels
            m.weight.data = nn.init.kaiming_uniform(m.weight.shape, fan_in, rng, a=0)
            m.bias.data = nn.init.constant(m.bias.shape, 0)
