"""ShiftResNet (Wu et al. 2018, arXiv 1711.08141): CIFAR's residual networks with shifts between 1x1 convolutions.

Counts and accuracies for it are in the authors' repository, github.com/alvinwan/shiftresnet-cifar.
"""

from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["shift_resnet"]


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
