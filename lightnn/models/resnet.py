"""Residual networks (He et al. 2016, arXiv 1512.03385): y = relu(F(x) + shortcut(x)).

resnet20, resnet56 and resnet110 are the networks of section 4.2, for CIFAR: three stages of n = (depth - 2) / 6 blocks,
and shortcuts without weights (option A: every second pixel, zeros for the new channels). resnet18, resnet34 and
resnet50 are torchvision's, with 1x1 projections where the size changes (option B).
"""

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.blocks import checked, scaled
from lightnn.models.registry import Rng, architecture

__all__ = ["cifar_resnet", "resnet18", "resnet20", "resnet34", "resnet50", "resnet56", "resnet110"]


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


def basic_blocks(c_in, c_out, blocks, stride, rng, project=True):
    """A stage of BasicBlocks."""
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
        self.layer1 = basic_blocks(width, width, n, 1, rng, project)
        self.layer2 = basic_blocks(width, 2 * width, n, 2, rng, project)
        self.layer3 = basic_blocks(2 * width, 4 * width, n, 2, rng, project)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(4 * width, num_classes, rng=rng)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(self.avgpool(x)))


class Bottleneck(nn.Module):
    """1x1 to width channels, 3x3, 1x1 to four times as many, and the input added (figure 5). The stride is in the 3x3,
    as in torchvision; the paper has it in the first 1x1, which loses three of four pixels."""

    def __init__(self, c_in, width, stride, dilation, rng):
        c_out = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(c_in, width, 1, bias=False, rng=rng), nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, dilation, dilation, bias=False, rng=rng)
        self.bn2, self.conv3 = nn.BatchNorm2d(width), nn.Conv2d(width, c_out, 1, bias=False, rng=rng)
        self.bn3, self.relu, self.relu2, self.relu3 = nn.BatchNorm2d(c_out), nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.downsample = None
        if stride > 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False, rng=rng)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = self.relu2(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        return self.relu3(self.bn3(self.conv3(y)) + (x if self.downsample is None else self.downsample(x)))


def bottlenecks(c_in, width, blocks, stride, rng, dilations=(1, 1)):
    """A stage of Bottlenecks. dilations: of the first block's 3x3, and of the others'."""
    first = Bottleneck(c_in, width, stride, dilations[0], rng)
    return nn.Sequential(first, *(Bottleneck(4 * width, width, 1, dilations[1], rng) for _ in range(blocks - 1)))


class Stem(nn.Module):
    """7x7 with stride 2, batch norm, ReLU, max-pool; and room for four stages, which the subclass makes."""

    def __init__(self, in_channels, c, rng):
        self.conv1 = nn.Conv2d(in_channels, c, 7, 2, 3, bias=False, rng=rng)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(3, 2, 1)

    def stem(self, x):
        return self.maxpool(self.relu(self.bn1(self.conv1(x))))


class ResNet(Stem):
    """torchvision's: the stem, four stages, average pooling, fc. stage: makes one, of BasicBlocks with 64, 128, 256 and
    512 channels, or of Bottlenecks with four times as many."""

    def __init__(self, blocks, stage, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("resnet", num_classes, in_channels, width_mult, rng)
        c = scaled(64, width_mult)
        super().__init__(in_channels, c, rng)
        for i, count in enumerate(blocks):
            width, stride = scaled(64 * 2**i, width_mult), 2 if i else 1
            setattr(self, f"layer{i + 1}", stage(c, width, count, stride, rng))
            c = width if stage is basic_blocks else 4 * width
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = self.layer4(self.layer3(self.layer2(self.layer1(self.stem(x)))))
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
def resnet18(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """11,689,512 parameters, 1.81 billion MACs on 224 x 224."""
    return ResNet((2, 2, 2, 2), basic_blocks, num_classes, in_channels, width_mult, rng)


@architecture
def resnet34(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """21,797,672 parameters, 3.66 billion MACs on 224 x 224."""
    return ResNet((3, 4, 6, 3), basic_blocks, num_classes, in_channels, width_mult, rng)


@architecture
def resnet50(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """25,557,032 parameters, 4.09 billion MACs on 224 x 224. width_mult: also of the widths inside its bottlenecks."""
    return ResNet((3, 4, 6, 3), bottlenecks, num_classes, in_channels, width_mult, rng)
