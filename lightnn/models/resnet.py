"""Residual networks (He et al. 2016, arXiv 1512.03385): y = relu(F(x) + shortcut(x)).

resnet20, resnet56 and resnet110 are the networks of section 4.2, for CIFAR: three stages of n = (depth - 2) / 6 blocks,
and shortcuts without weights (option A: every second pixel, zeros for the new channels). resnet18 and resnet34 are
torchvision's, with 1x1 projections where the size changes (option B).
"""

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["cifar_resnet", "resnet18", "resnet20", "resnet34", "resnet56", "resnet110"]


class BasicBlock(nn.Module):
    """conv 3x3, conv 3x3, and the input added; batch norm after each convolution."""

    def __init__(self, c_in, c_out, stride, project, rng):
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False, rng=rng)
        self.bn1, self.relu = nn.BatchNorm2d(c_out), nn.ReLU()
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False, rng=rng)
        self.bn2, self.relu2 = nn.BatchNorm2d(c_out), nn.ReLU()
        self.stride, self.more = stride, c_out - c_in
        changes = stride > 1 or c_in != c_out
        if project and changes:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False, rng=rng)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(c_out))
        else:
            self.downsample = None

    def shortcut(self, x):
        if self.downsample is not None:
            return self.downsample(x)
        if self.stride > 1:
            x = x[:, :, :: self.stride, :: self.stride]
        side = self.more // 2
        return F.pad(x, padding=(0, 0, 0, 0, side, self.more - side)) if self.more else x

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(y)) + self.shortcut(x))


def _stage(c_in, c_out, blocks, stride, project, rng):
    first = BasicBlock(c_in, c_out, stride, project, rng)
    return nn.Sequential(first, *[BasicBlock(c_out, c_out, 1, project, rng) for _ in range(blocks - 1)])


class CifarResNet(nn.Module):
    """conv1, three stages of width, 2 width and 4 width, global average pooling, fc."""

    def __init__(self, depth, width, project, num_classes, in_channels, rng):
        sizes = {"num_classes": num_classes, "in_channels": in_channels, "width": width, "depth": depth}
        num_classes, in_channels, width, depth = options.counts("cifar_resnet", **sizes)
        project = options.flag("cifar_resnet: projection", project)
        if (depth - 2) % 6 or depth < 8:
            raise ValueError(f"cifar_resnet: want a depth of 6 n + 2, n >= 1, got {depth}")
        rng, n = nn.init.generator(rng), (depth - 2) // 6
        self.conv1 = nn.Conv2d(in_channels, width, 3, 1, 1, bias=False, rng=rng)
        self.bn1, self.relu = nn.BatchNorm2d(width), nn.ReLU()
        self.layer1 = _stage(width, width, n, 1, project, rng)
        self.layer2 = _stage(width, 2 * width, n, 2, project, rng)
        self.layer3 = _stage(2 * width, 4 * width, n, 2, project, rng)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(4 * width, num_classes, rng=rng)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(self.avgpool(x)))


class ResNet(nn.Module):
    """torchvision's: a 7x7 stem, max-pool, four stages of 64, 128, 256 and 512 channels, average pooling, fc."""

    def __init__(self, blocks, num_classes, in_channels, rng):
        num_classes, in_channels = options.counts("resnet", num_classes=num_classes, in_channels=in_channels)
        rng = nn.init.generator(rng)
        self.conv1 = nn.Conv2d(in_channels, 64, 7, 2, 3, bias=False, rng=rng)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        self.layer1 = _stage(64, 64, blocks[0], 1, True, rng)
        self.layer2 = _stage(64, 128, blocks[1], 2, True, rng)
        self.layer3 = _stage(128, 256, blocks[2], 2, True, rng)
        self.layer4 = _stage(256, 512, blocks[3], 2, True, rng)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(512, num_classes, rng=rng)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


@architecture
def cifar_resnet(
    depth: int = 20,
    width: int = 16,
    projection: bool = False,
    num_classes: int = 10,
    in_channels: int = 3,
    rng: Rng = None,
) -> nn.Module:
    """A residual network of 6 n + 2 layers for small images; projection: 1x1 convolutions as shortcuts where the size
    changes (option B)."""
    return CifarResNet(depth, width, projection, num_classes, in_channels, rng)


def resnet20(num_classes: int = 10, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """0.27 million parameters, 40.6 million MACs on 32 x 32."""
    return cifar_resnet(20, num_classes=num_classes, in_channels=in_channels, rng=rng)


def resnet56(num_classes: int = 10, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """0.85 million parameters, 125 million MACs on 32 x 32."""
    return cifar_resnet(56, num_classes=num_classes, in_channels=in_channels, rng=rng)


def resnet110(num_classes: int = 10, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """1.7 million parameters, 253 million MACs on 32 x 32."""
    return cifar_resnet(110, num_classes=num_classes, in_channels=in_channels, rng=rng)


@architecture
def resnet18(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """11,689,512 parameters, 1.81 billion MACs on 224 x 224."""
    return ResNet((2, 2, 2, 2), num_classes, in_channels, rng)


@architecture
def resnet34(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """21,797,672 parameters, 3.66 billion MACs on 224 x 224."""
    return ResNet((3, 4, 6, 3), num_classes, in_channels, rng)
