"""MobileNet V2 (Sandler et al. 2018, arXiv 1801.04381): inverted residuals with linear bottlenecks.

A block goes from few channels to t times as many and back (table 1); what is added is the few. No ReLU follows the
last 1x1 convolution: on few channels it would lose what it sets to 0 (section 3.2).
"""

from lightnn import nn
from lightnn.models.blocks import checked, conv_norm, round_filters
from lightnn.models.registry import Rng, architecture

__all__ = ["mobilenet_v2"]

BODY = [  # table 2: expansion t, channels c, blocks n, stride s of the first one
    *[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)],
    *[(6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)],
]


class InvertedResidual(nn.Module):
    """1x1 to t c_in channels, 3x3 depthwise, 1x1 to c_out without activation; the input added where sizes agree."""

    def __init__(self, c_in, c_out, stride, t, rng):
        hidden = c_in * t
        expand = [conv_norm(c_in, hidden, 1, act=nn.ReLU6, rng=rng)] if t != 1 else []
        depthwise = conv_norm(hidden, hidden, 3, stride, hidden, nn.ReLU6, rng=rng)
        project = nn.Conv2d(hidden, c_out, 1, bias=False, rng=rng)
        self.conv = nn.Sequential(*expand, depthwise, project, nn.BatchNorm2d(c_out))
        self.residual, self.joined = stride == 1 and c_in == c_out, nn.Identity()

    def forward(self, x):
        return self.joined(x + self.conv(x)) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """features (a 3x3 stem, 17 blocks, 1x1 to 1280), global average pooling, classifier; torchvision's names."""

    def __init__(self, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("mobilenet_v2", num_classes, in_channels, width_mult, rng)
        c, last = round_filters(32, width_mult), round_filters(1280, max(1.0, width_mult))
        layers = [conv_norm(in_channels, c, 3, 2, act=nn.ReLU6, rng=rng)]
        for t, width, n, s in BODY:
            for i in range(n):
                layers.append(InvertedResidual(c, round_filters(width, width_mult), 1 if i else s, t, rng))
                c = round_filters(width, width_mult)
        self.features = nn.Sequential(*layers, conv_norm(c, last, 1, act=nn.ReLU6, rng=rng))
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Sequential(nn.Dropout(0.2, rng=rng), nn.Linear(last, num_classes, rng=rng))

    def forward(self, x):
        return self.classifier(self.flatten(self.pool(self.features(x))))


@architecture
def mobilenet_v2(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """3,504,872 parameters, 301 million MACs on 224 x 224. Widths are multiples of 8; the last one is at least 1280."""
    return MobileNetV2(num_classes, in_channels, width_mult, rng)
