"""DenseNet (Huang et al. 2017, arXiv 1608.06993): each layer reads the maps of all layers before it in its block.

    x_l = H_l([x_0, x_1, ..., x_{l-1}])         (equation 2), where H_l gives k maps, the growth rate

DenseNet-BC, as torchvision's: H_l is BN, ReLU, 1x1 to 4 k, BN, ReLU, 3x3 to k; between the blocks a transition halves
channels and pixels.
"""

from collections.abc import Sequence

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["densenet", "densenet121", "densenet161", "densenet169", "densenet201"]


class DenseLayer(nn.Module):
    """H_l: growth new maps from all that there are, put beside them."""

    def __init__(self, c_in, growth, rng):
        self.norm1, self.relu1 = nn.BatchNorm2d(c_in), nn.ReLU()
        self.conv1 = nn.Conv2d(c_in, 4 * growth, 1, bias=False, rng=rng)
        self.norm2, self.relu2 = nn.BatchNorm2d(4 * growth), nn.ReLU()
        self.conv2 = nn.Conv2d(4 * growth, growth, 3, 1, 1, bias=False, rng=rng)
        self.joined = nn.Identity()

    def forward(self, x):
        y = self.conv2(self.relu2(self.norm2(self.conv1(self.relu1(self.norm1(x))))))
        return self.joined(F.concat([x, y], 1))


class DenseBlock(nn.Module):
    """denselayer1, denselayer2, ..., one after the other."""

    def __init__(self, c_in, layers, growth, rng):
        for i in range(layers):
            setattr(self, f"denselayer{i + 1}", DenseLayer(c_in + i * growth, growth, rng))

    def forward(self, x):
        for _, layer in self.members():
            x = layer(x)
        return x


class Transition(nn.Module):
    """BN, ReLU, 1x1 to half of the channels, 2x2 means (theta = 0.5, section 3)."""

    def __init__(self, c_in, rng):
        self.norm, self.relu = nn.BatchNorm2d(c_in), nn.ReLU()
        self.conv, self.pool = nn.Conv2d(c_in, c_in // 2, 1, bias=False, rng=rng), nn.AvgPool2d(2)

    def forward(self, x):
        return self.pool(self.conv(self.relu(self.norm(x))))


class Features(nn.Module):
    """conv0, norm0, relu0, pool0, then denseblock1, transition1, denseblock2, ..., and norm5, whose number stays."""

    def __init__(self, blocks, growth, width, in_channels, rng):
        self.conv0, self.norm0 = nn.Conv2d(in_channels, width, 7, 2, 3, bias=False, rng=rng), nn.BatchNorm2d(width)
        self.relu0, self.pool0, c = nn.ReLU(), nn.MaxPool2d(3, 2, 1), width
        for i, layers in enumerate(blocks, 1):
            setattr(self, f"denseblock{i}", DenseBlock(c, layers, growth, rng))
            c += layers * growth
            if i < len(blocks):
                setattr(self, f"transition{i}", Transition(c, rng))
                c //= 2
        self.norm5, self.channels = nn.BatchNorm2d(c), c

    def forward(self, x):
        for _, module in self.members():
            x = module(x)
        return x


class DenseNet(nn.Module):
    """features, ReLU, global average pooling, classifier; torchvision's names."""

    def __init__(self, blocks, growth, width, num_classes, in_channels, rng):
        sizes = {"growth": growth, "width": width, "num_classes": num_classes, "in_channels": in_channels}
        growth, width, num_classes, in_channels = options.counts("densenet", **sizes)
        want = "one to eight numbers of layers, each >= 1"
        blocks = options.ints(
            "densenet: blocks", options.listed("densenet: blocks", blocks, want, range(1, 9)), want, 1
        )
        rng = nn.init.generator(rng)
        self.features = Features(blocks, growth, width, in_channels, rng)
        self.relu, self.avgpool, self.flatten = nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Linear(self.features.channels, num_classes, rng=rng)

    def forward(self, x):
        return self.classifier(self.flatten(self.avgpool(self.relu(self.features(x)))))


@architecture
def densenet(
    blocks: Sequence[int] = (6, 12, 24, 16),
    growth: int = 32,
    width: int = 64,
    num_classes: int = 1000,
    in_channels: int = 3,
    rng: Rng = None,
) -> nn.Module:
    """DenseNet-BC with so many layers in each block, growth rate k, and width channels after the first convolution."""
    return DenseNet(blocks, growth, width, num_classes, in_channels, rng)


def densenet121(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """7,978,856 parameters, 2.83 billion MACs on 224 x 224."""
    return densenet((6, 12, 24, 16), 32, 64, num_classes, in_channels, rng)


def densenet161(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """28,681,000 parameters, 7.73 billion MACs on 224 x 224."""
    return densenet((6, 12, 36, 24), 48, 96, num_classes, in_channels, rng)


def densenet169(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """14,149,480 parameters, 3.36 billion MACs on 224 x 224."""
    return densenet((6, 12, 32, 32), 32, 64, num_classes, in_channels, rng)


def densenet201(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """20,013,928 parameters, 4.29 billion MACs on 224 x 224."""
    return densenet((6, 12, 48, 32), 32, 64, num_classes, in_channels, rng)
