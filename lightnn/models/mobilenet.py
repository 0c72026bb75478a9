"""MobileNet V1 (Howard et al. 2017, arXiv 1704.04861): depthwise-separable convolutions throughout.

full 3x3      D_K^2 M N D_F^2 MACs
separable     D_K^2 M D_F^2 + M N D_F^2         1/N + 1/D_K^2 of it  (section 3.1)
"""

from lightnn import nn
from lightnn.models.blocks import checked, conv_norm, scaled
from lightnn.models.registry import Rng, architecture

__all__ = ["mobilenet_v1", "mobilenet_v1_full"]

BODY = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]


def separable(c_in, c_out, stride=1, *, rng):
    """One 3x3 filter a channel, then 1x1 across channels, batch norm and ReLU after both (figure 3)."""
    depthwise = conv_norm(c_in, c_in, 3, stride, groups=c_in, rng=rng)
    return nn.Sequential(depthwise, conv_norm(c_in, c_out, 1, rng=rng))


def full(c_in, c_out, stride=1, *, rng):
    """The full 3x3 convolution that `separable` replaces."""
    return conv_norm(c_in, c_out, 3, stride, rng=rng)


class MobileNetV1(nn.Module):
    """A 3x3 stem, 13 blocks, global average pooling, a fully connected layer."""

    def __init__(self, block, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("mobilenet", num_classes, in_channels, width_mult, rng)
        c = scaled(32, width_mult)
        layers = [conv_norm(in_channels, c, 3, 2, rng=rng)]
        for c_out, stride in BODY:
            layers.append(block(c, scaled(c_out, width_mult), stride, rng=rng))
            c = scaled(c_out, width_mult)
        self.features, self.pool, self.flatten = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        return self.classifier(self.flatten(self.pool(self.features(x))))


@architecture
def mobilenet_v1(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """MobileNet V1, for images from 32 x 32 on (the paper: 224 x 224); width_mult is the paper's alpha. The last
    depthwise convolution has stride 1, as in the authors' code (table 1 says 2, but keeps 7 x 7)."""
    return MobileNetV1(separable, num_classes, in_channels, width_mult, rng)


@architecture
def mobilenet_v1_full(
    num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None
) -> nn.Module:
    """The same network with full 3x3 convolutions: "Conv MobileNet" of the paper's table 4."""
    return MobileNetV1(full, num_classes, in_channels, width_mult, rng)
