"""EfficientNet (Tan & Le 2019, arXiv 1905.11946): one small network, B0, and a rule that makes it larger.

    depth d = alpha^phi,  width w = beta^phi,  resolution r = gamma^phi,    alpha beta^2 gamma^2 ~ 2    (equation 3)

alpha = 1.2, beta = 1.1, gamma = 1.15: MACs grow by 2^phi (models/scaling.py). B1 to B7 are not exactly that: their
authors have published rounded numbers, which `EFFICIENTNET_SCALES` has. Widths are rounded by `round_filters`, numbers
of blocks up.
"""

import math
from functools import partial
from typing import NamedTuple

from lightnn import nn, options
from lightnn.models.blocks import SqueezeExcitation, checked, conv_norm, round_filters
from lightnn.models.registry import Rng, architecture

__all__ = ["EFFICIENTNET_SCALES", "efficientnet", *(f"efficientnet_b{i}" for i in range(8))]

STAGES = [  # table 1: expansion, kernel, stride of the first block, channels, blocks
    *[(1, 3, 1, 16, 1), (6, 3, 2, 24, 2), (6, 5, 2, 40, 2), (6, 3, 2, 80, 3)],
    *[(6, 5, 1, 112, 3), (6, 5, 2, 192, 4), (6, 3, 1, 320, 1)],
]
SKIPPED = 0.2  # how often the last block's branch is skipped in training; the others less, in proportion to their depth


class Scale(NamedTuple):
    """Of one network; size: the side of the images that it is for."""

    width_mult: float
    depth_mult: float
    size: int
    dropout: float


EFFICIENTNET_SCALES = {
    "b0": Scale(1.0, 1.0, 224, 0.2), "b1": Scale(1.0, 1.1, 240, 0.2), "b2": Scale(1.1, 1.2, 260, 0.3),
    "b3": Scale(1.2, 1.4, 300, 0.3), "b4": Scale(1.4, 1.8, 380, 0.4), "b5": Scale(1.6, 2.2, 456, 0.4),
    "b6": Scale(1.8, 2.6, 528, 0.5), "b7": Scale(2.0, 3.1, 600, 0.5),
}  # fmt: skip


def round_repeats(blocks: int, depth_mult: float) -> int:
    """Blocks of a stage: rounded up."""
    return math.ceil(blocks * depth_mult)


class MBConv(nn.Module):
    """MobileNet V2's inverted residual with squeeze-and-excitation and swish; in training its branch is skipped with
    probability `skipped`, image by image. The squeeze goes to a quarter of the block's input channels."""

    def __init__(self, c_in, c_out, kernel, stride, expansion, skipped, norm, rng):
        expanded, layers = round_filters(c_in * expansion), []
        if expanded != c_in:
            layers.append(conv_norm(c_in, expanded, 1, 1, 1, nn.SiLU, norm, rng=rng))
        layers.append(conv_norm(expanded, expanded, kernel, stride, expanded, nn.SiLU, norm, rng=rng))
        layers.append(SqueezeExcitation(expanded, max(1, c_in // 4), nn.SiLU, nn.Sigmoid, rng))
        layers.append(conv_norm(expanded, c_out, 1, 1, 1, None, norm, rng=rng))
        self.block, self.stochastic_depth = nn.Sequential(*layers), nn.StochasticDepth(skipped, rng=rng)
        self.residual, self.joined = stride == 1 and c_in == c_out, nn.Identity()

    def forward(self, x):
        return self.joined(x + self.stochastic_depth(self.block(x))) if self.residual else self.block(x)


class EfficientNet(nn.Module):
    """features (a 3x3 stem, seven stages, 1x1 to four times as many channels), global average pooling, dropout, fc;
    torchvision's names."""

    def __init__(self, scale, norm, num_classes, in_channels, rng):
        depth_mult = options.number("efficientnet: depth_mult", scale.depth_mult, above=0, at_most=100)
        dropout = options.probability("efficientnet: dropout", scale.dropout)
        checks = "efficientnet", num_classes, in_channels, scale.width_mult, rng
        num_classes, in_channels, width_mult, rng = checked(*checks)
        c, done = round_filters(32, width_mult), 0
        layers = [conv_norm(in_channels, c, 3, 2, 1, nn.SiLU, norm, rng=rng)]
        total = sum(round_repeats(stage[-1], depth_mult) for stage in STAGES)
        for t, kernel, stride, width, blocks in STAGES:
            width, stage = round_filters(width, width_mult), []
            for i in range(round_repeats(blocks, depth_mult)):
                skipped = SKIPPED * done / total
                stage.append(MBConv(c, width, kernel, 1 if i else stride, t, skipped, norm, rng))
                c, done = width, done + 1
            layers.append(nn.Sequential(*stage))
        self.features = nn.Sequential(*layers, conv_norm(c, 4 * c, 1, 1, 1, nn.SiLU, norm, rng=rng))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Sequential(nn.Dropout(dropout, rng=rng), nn.Linear(4 * c, num_classes, rng=rng))

    def forward(self, x):
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


@architecture
def efficientnet(
    width_mult: float = 1.0,
    depth_mult: float = 1.0,
    dropout: float = 0.2,
    eps: float = 1e-3,
    momentum: float = 0.01,
    num_classes: int = 1000,
    in_channels: int = 3,
    rng: Rng = None,
) -> nn.Module:
    """EfficientNet of any width and depth, both relative to B0. eps and momentum: those of its batch norms; the paper's
    are the defaults."""
    norm = partial(nn.BatchNorm2d, eps=eps, momentum=momentum)
    scale = Scale(width_mult, depth_mult, 0, dropout)
    return EfficientNet(scale, norm, num_classes, in_channels, rng)


def scaled_as(name: str, num_classes: int, in_channels: int, rng: Rng) -> nn.Module:
    """One of EFFICIENTNET_SCALES, with torchvision's batch norms: the paper's for B5 to B7, PyTorch's for others."""
    width_mult, depth_mult, _, dropout = EFFICIENTNET_SCALES[name]
    norm = (1e-3, 0.01) if name in ("b5", "b6", "b7") else (1e-5, 0.1)
    return efficientnet(width_mult, depth_mult, dropout, *norm, num_classes, in_channels, rng)


def efficientnet_b0(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """5,288,548 parameters, 386 million MACs on 224 x 224."""
    return scaled_as("b0", num_classes, in_channels, rng)


def efficientnet_b1(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """7,794,184 parameters, 687 million MACs on 240 x 240."""
    return scaled_as("b1", num_classes, in_channels, rng)


def efficientnet_b2(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """9,109,994 parameters, 994 million MACs on 260 x 260."""
    return scaled_as("b2", num_classes, in_channels, rng)


def efficientnet_b3(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """12,233,232 parameters, 1.83 billion MACs on 300 x 300."""
    return scaled_as("b3", num_classes, in_channels, rng)


def efficientnet_b4(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """19,341,616 parameters, 4.39 billion MACs on 380 x 380."""
    return scaled_as("b4", num_classes, in_channels, rng)


def efficientnet_b5(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """30,389,784 parameters, 10.3 billion MACs on 456 x 456."""
    return scaled_as("b5", num_classes, in_channels, rng)


def efficientnet_b6(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """43,040,704 parameters, 19.1 billion MACs on 528 x 528."""
    return scaled_as("b6", num_classes, in_channels, rng)


def efficientnet_b7(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """66,347,960 parameters, 37.7 billion MACs on 600 x 600."""
    return scaled_as("b7", num_classes, in_channels, rng)
