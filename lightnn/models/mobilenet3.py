"""MobileNet V3 (Howard et al. 2019, arXiv 1905.02244): the blocks of V2 with squeeze-and-excitation and hardswish.

The widths, kernels and places of both come from a search, NetAdapt after a search by blocks (section 4).
"""

from functools import partial

from lightnn import nn
from lightnn.models.blocks import SqueezeExcitation, checked, conv_norm, round_filters
from lightnn.models.registry import Rng, architecture

__all__ = ["mobilenet_v3_large", "mobilenet_v3_small"]

LARGE = [  # table 1: kernel, expanded channels, channels, squeeze-and-excitation, hardswish (else ReLU), stride
    (3, 16, 16, False, False, 1), (3, 64, 24, False, False, 2), (3, 72, 24, False, False, 1),
    (5, 72, 40, True, False, 2), (5, 120, 40, True, False, 1), (5, 120, 40, True, False, 1),
    (3, 240, 80, False, True, 2), (3, 200, 80, False, True, 1), (3, 184, 80, False, True, 1),
    (3, 184, 80, False, True, 1), (3, 480, 112, True, True, 1), (3, 672, 112, True, True, 1),
    (5, 672, 160, True, True, 2), (5, 960, 160, True, True, 1), (5, 960, 160, True, True, 1),
]  # fmt: skip
SMALL = [  # table 2
    (3, 16, 16, True, False, 2), (3, 72, 24, False, False, 2), (3, 88, 24, False, False, 1),
    (5, 96, 40, True, True, 2), (5, 240, 40, True, True, 1), (5, 240, 40, True, True, 1),
    (5, 120, 48, True, True, 1), (5, 144, 48, True, True, 1), (5, 288, 96, True, True, 2),
    (5, 576, 96, True, True, 1), (5, 576, 96, True, True, 1),
]  # fmt: skip
NORM = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)


class InvertedResidual(nn.Module):
    """1x1, depthwise, squeeze-and-excitation, 1x1 without activation; the input added where sizes agree (figure 4)."""

    def __init__(self, c_in, row, width_mult, rng):
        kernel, expanded, c_out, squeezes, hard, stride = row
        expanded, c_out = (round_filters(c, width_mult) for c in (expanded, c_out))
        act, layers = nn.Hardswish if hard else nn.ReLU, []
        if expanded != c_in:
            layers.append(conv_norm(c_in, expanded, 1, 1, 1, act, NORM, rng=rng))
        layers.append(conv_norm(expanded, expanded, kernel, stride, expanded, act, NORM, rng=rng))
        if squeezes:
            layers.append(SqueezeExcitation(expanded, round_filters(expanded // 4), nn.ReLU, nn.Hardsigmoid, rng))
        layers.append(conv_norm(expanded, c_out, 1, 1, 1, None, NORM, rng=rng))
        self.block, self.joined = nn.Sequential(*layers), nn.Identity()
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        return self.joined(x + self.block(x)) if self.residual else self.block(x)


class MobileNetV3(nn.Module):
    """features (a 3x3 stem, the blocks, 1x1 to six times as many channels), global average pooling, and a classifier
    with one hidden layer of `last`; torchvision's names."""

    def __init__(self, body, last, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("mobilenet_v3", num_classes, in_channels, width_mult, rng)
        c, last = (round_filters(n, width_mult) for n in (16, last))
        layers = [conv_norm(in_channels, c, 3, 2, 1, nn.Hardswish, NORM, rng=rng)]
        for row in body:
            layers.append(InvertedResidual(c, row, width_mult, rng))
            c = round_filters(row[2], width_mult)
        self.features = nn.Sequential(*layers, conv_norm(c, 6 * c, 1, 1, 1, nn.Hardswish, NORM, rng=rng))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Sequential(
            *(nn.Linear(6 * c, last, rng=rng), nn.Hardswish(), nn.Dropout(0.2, rng=rng)),
            nn.Linear(last, num_classes, rng=rng),
        )

    def forward(self, x):
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


@architecture
def mobilenet_v3_large(
    num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None
) -> nn.Module:
    """5,483,032 parameters, 217 million MACs on 224 x 224."""
    return MobileNetV3(LARGE, 1280, num_classes, in_channels, width_mult, rng)


@architecture
def mobilenet_v3_small(
    num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None
) -> nn.Module:
    """2,542,856 parameters, 56.5 million MACs on 224 x 224."""
    return MobileNetV3(SMALL, 1024, num_classes, in_channels, width_mult, rng)
