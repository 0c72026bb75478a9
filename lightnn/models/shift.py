"""ShiftNet and ShiftResNet (Wu et al. 2018, arXiv 1711.08141): shifts between 1x1 convolutions in place of 3x3 filters.

ShiftNet is the paper's own network for ImageNet; ShiftResNet is CIFAR's residual network with shifts. Counts and
accuracies of the latter are in the authors' repository, github.com/alvinwan/shiftresnet-cifar.
"""

from collections.abc import Sequence

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["shift_resnet", "shiftnet", "shiftnet_a", "shiftnet_b", "shiftnet_c"]


class ShiftBlock(nn.Module):
    """1x1 to expansion * c_out channels, shift, 1x1 to c_out; and the input added, through a 1x1 where sizes change."""

    def __init__(self, c_in, c_out, stride, expansion, rng):
        mid = expansion * c_out
        self.conv1 = nn.Conv2d(c_in, mid, 1, bias=False, rng=rng)
        self.bn1, self.relu, self.shift = nn.BatchNorm2d(mid), nn.ReLU(), nn.Shift2d(3)
        self.conv2 = nn.Conv2d(mid, c_out, 1, stride, bias=False, rng=rng)
        self.bn2, self.relu2 = nn.BatchNorm2d(c_out), nn.ReLU()
        if stride > 1 or c_in != c_out:
            conv = nn.Conv2d(c_in, c_out, 1, stride, bias=False, rng=rng)
            self.shortcut = nn.Sequential(conv, nn.BatchNorm2d(c_out))
        else:
            self.shortcut = nn.Identity()

    def forward(self, x):
        y = self.shift(self.relu(self.bn1(self.conv1(x))))
        return self.relu2(self.bn2(self.conv2(y)) + self.shortcut(x))


class ShiftResNet(nn.Module):
    """conv1, three stages of 16, 32 and 64 channels, global average pooling, fc."""

    def __init__(self, depth, expansion, num_classes, in_channels, rng):
        sizes = {"num_classes": num_classes, "in_channels": in_channels, "expansion": expansion, "depth": depth}
        num_classes, in_channels, expansion, depth = options.counts("shift_resnet", **sizes)
        if (depth - 2) % 6 or depth < 8:
            raise ValueError(f"shift_resnet: want a depth of 6 n + 2, n >= 1, got {depth}")
        rng, blocks, c = nn.init.generator(rng), [], 16
        self.conv1 = nn.Conv2d(in_channels, c, 3, 1, 1, bias=False, rng=rng)
        self.bn1, self.relu = nn.BatchNorm2d(c), nn.ReLU()
        for width, stride in ((16, 1), (32, 2), (64, 2)):
            for block in range((depth - 2) // 6):
                blocks.append(ShiftBlock(c, width, 1 if block else stride, expansion, rng))
                c = width
        self.blocks, self.avgpool, self.flatten = nn.Sequential(*blocks), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = self.blocks(self.relu(self.bn1(self.conv1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


@architecture
def shift_resnet(
    depth: int = 20, expansion: int = 3, num_classes: int = 10, in_channels: int = 3, rng: Rng = None
) -> nn.Module:
    """ShiftResNet of 6 n + 2 layers for 32 x 32 images; its blocks widen inside by the expansion."""
    return ShiftResNet(depth, expansion, num_classes, in_channels, rng)


class CSC(nn.Module):
    """1x1 to E times as many channels, shift, 1x1: the paper's module, batch norm and ReLU before each 1x1. Then the
    input is added; at stride 2 its 3x3 means stand beside the new channels instead."""

    def __init__(self, c_in, c_out, stride, expansion, kernel, rng):
        new = c_out - c_in if stride > 1 else c_out
        mid = expansion * new
        self.bn1, self.relu1 = nn.BatchNorm2d(c_in), nn.ReLU()
        self.conv1, self.shift = nn.Conv2d(c_in, mid, 1, bias=False, rng=rng), nn.Shift2d(kernel)
        self.bn2, self.relu2 = nn.BatchNorm2d(mid), nn.ReLU()
        self.conv2 = nn.Conv2d(mid, new, 1, stride, bias=False, rng=rng)
        self.pool, self.joined = nn.AvgPool2d(3, 2, 1) if stride > 1 else None, nn.Identity()

    def forward(self, x):
        y = self.shift(self.conv1(self.relu1(self.bn1(x))))
        y = self.conv2(self.relu2(self.bn2(y)))
        return self.joined(x + y if self.pool is None else F.concat([y, self.pool(x)], 1))


class ShiftNet(nn.Module):
    """A 7x7 stem of half the first width, four groups of CSC modules, batch norm, global average pooling, fc."""

    def __init__(self, sizes, num_classes, in_channels, rng):
        num_classes, in_channels = options.counts("shiftnet", num_classes=num_classes, in_channels=in_channels)
        for name, four in sizes.items():
            sizes[name] = options.ints(f"shiftnet: {name}", four, "four ints >= 1, one for each group", 1)
            if len(four) != 4:
                raise options.wrong(f"shiftnet: {name}", "four ints >= 1, one for each group", four)
        widths, rng = sizes["widths"], nn.init.generator(rng)
        c, groups = widths[0] // 2, []
        if any(a >= b for a, b in zip((c, *widths), widths)):
            raise options.wrong("shiftnet: widths", "four widths >= 2, each above the one before", widths)
        self.conv1 = nn.Conv2d(in_channels, c, 7, 2, 3, bias=False, rng=rng)
        for width, count, first, later, kernel in zip(*sizes.values()):
            for i in range(count):
                groups.append(CSC(c, width, 1 if i else 2, later if i else first, kernel, rng))
                c = width
        self.groups, self.bn, self.relu = nn.Sequential(*groups), nn.BatchNorm2d(c), nn.ReLU()
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = self.relu(self.bn(self.groups(self.conv1(x))))
        return self.fc(self.flatten(self.avgpool(x)))


@architecture
def shiftnet(
    widths: Sequence[int] = (64, 128, 256, 512),
    blocks: Sequence[int] = (5, 6, 7, 3),
    first: Sequence[int] = (4, 4, 3, 2),
    later: Sequence[int] = (4, 3, 2, 1),
    kernels: Sequence[int] = (5, 5, 3, 3),
    num_classes: int = 1000,
    in_channels: int = 3,
    rng: Rng = None,
) -> nn.Module:
    """Four groups of CSC modules, each group with stride 2. first, later: the expansions of a group's first module and
    of its others. kernels: how far the shifts reach, odd."""
    sizes = {"widths": widths, "blocks": blocks, "first": first, "later": later, "kernels": kernels}
    return ShiftNet(sizes, num_classes, in_channels, rng)


def shiftnet_a(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """4,188,680 parameters; the paper counts 4.1 million."""
    return shiftnet(num_classes=num_classes, in_channels=in_channels, rng=rng)


def shiftnet_b(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """Half of A's channels: 1,183,480 parameters; the paper counts 1.1 million."""
    return shiftnet((32, 64, 128, 256), num_classes=num_classes, in_channels=in_channels, rng=rng)


def shiftnet_c(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """B's channels in fewer modules, expansion 1, shifts by one pixel. The paper counts 0.78 million parameters; this
    layout is from memory, not checked against its table, and has 693,720."""
    ones = (1, 1, 1, 1)
    return shiftnet((32, 64, 128, 256), (1, 4, 4, 3), ones, ones, (3, 3, 3, 3), num_classes, in_channels, rng)
