"""MnasNet-B1 (Tan et al. 2019, arXiv 1807.11626): inverted residuals that a search has chosen.

It chose kernels, expansions and depths stage by stage, by accuracy and by the milliseconds on a telephone. As
torchvision's: the variant without squeeze-and-excitation.
"""

from functools import partial

from lightnn import nn
from lightnn.models.blocks import checked, conv_norm, round_filters
from lightnn.models.registry import Rng, architecture

__all__ = ["mnasnet", "mnasnet0_5", "mnasnet0_75", "mnasnet1_0", "mnasnet1_3"]

STACKS = [  # kernel, stride of the first block, expansion, channels, blocks
    (3, 2, 3, 24, 3), (5, 2, 3, 40, 3), (5, 2, 6, 80, 3), (3, 1, 6, 96, 2), (5, 2, 6, 192, 4), (3, 1, 6, 320, 1),
]  # fmt: skip
NORM = partial(nn.BatchNorm2d, momentum=1 - 0.9997)


class InvertedResidual(nn.Module):
    """1x1 to t c_in channels, depthwise, 1x1 to c_out without activation; the input added where sizes agree."""

    def __init__(self, c_in, c_out, kernel, stride, t, rng):
        mid = c_in * t
        parts = (
            conv_norm(c_in, mid, 1, norm=NORM, rng=rng),
            conv_norm(mid, mid, kernel, stride, mid, norm=NORM, rng=rng),
            conv_norm(mid, c_out, 1, act=None, norm=NORM, rng=rng),
        )
        self.layers, self.joined = nn.Sequential(*(m for part in parts for m in part)), nn.Identity()
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        return self.joined(x + self.layers(x)) if self.residual else self.layers(x)


class MnasNet(nn.Module):
    """layers (a 3x3 stem, a separable convolution, six stacks, 1x1 to 1280), global average pooling, classifier;
    torchvision's names, which count all layers in one list."""

    def __init__(self, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("mnasnet", num_classes, in_channels, width_mult, rng)
        stem, c = (round_filters(n, width_mult) for n in (32, 16))
        layers = [
            *conv_norm(in_channels, stem, 3, 2, norm=NORM, rng=rng),
            *conv_norm(stem, stem, 3, groups=stem, norm=NORM, rng=rng),
            *conv_norm(stem, c, 1, act=None, norm=NORM, rng=rng),
        ]
        for kernel, stride, t, width, count in STACKS:
            width = round_filters(width, width_mult)
            first = InvertedResidual(c, width, kernel, stride, t, rng)
            rest = (InvertedResidual(width, width, kernel, 1, t, rng) for _ in range(count - 1))
            layers.append(nn.Sequential(first, *rest))
            c = width
        self.layers = nn.Sequential(*layers, *conv_norm(c, 1280, 1, norm=NORM, rng=rng))
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Sequential(nn.Dropout(0.2, rng=rng), nn.Linear(1280, num_classes, rng=rng))

    def forward(self, x):
        return self.classifier(self.flatten(self.pool(self.layers(x))))


@architecture
def mnasnet(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """MnasNet-B1 with all widths but the last times width_mult, rounded to multiples of 8."""
    return MnasNet(num_classes, in_channels, width_mult, rng)


def mnasnet0_5(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """2,218,512 parameters, 105 million MACs on 224 x 224."""
    return mnasnet(num_classes, in_channels, 0.5, rng)


def mnasnet0_75(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """3,170,208 parameters."""
    return mnasnet(num_classes, in_channels, 0.75, rng)


def mnasnet1_0(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """4,383,312 parameters, 314 million MACs on 224 x 224."""
    return mnasnet(num_classes, in_channels, 1.0, rng)


def mnasnet1_3(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """6,282,256 parameters."""
    return mnasnet(num_classes, in_channels, 1.3, rng)
