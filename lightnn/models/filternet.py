"""One small network in five versions that differ in their filters only: full, separable, grouped, unshuffled, shift.

For comparing filters: a 3x3 stem, four blocks of one kind, global average pooling and a fully connected layer. Every
block ends with batch norm and ReLU, and strides and widths are the same. So only the filter makes a difference in
parameters, MACs, time and accuracy.
"""

from lightnn import nn, options
from lightnn.models.blocks import conv_norm
from lightnn.models.mobilenet import full, separable
from lightnn.models.registry import Rng, architecture

__all__ = ["filternet_full", "filternet_grouped", "filternet_separable", "filternet_shift", "filternet_unshuffled"]

GROUPS = 4
BLOCKS = [(1, 1), (2, 2), (2, 1), (4, 2)]  # width of the output in units of the stem's, stride


def grouped(c_in, c_out, stride=1, *, rng):
    """A 3x3 convolution in 4 groups, then a channel shuffle. Without it the groups would never mix (Zhang 2018, arXiv
    1707.01083)."""
    return nn.Sequential(conv_norm(c_in, c_out, 3, stride, GROUPS, rng=rng), nn.ChannelShuffle(GROUPS))


def unshuffled(c_in, c_out, stride=1, *, rng):
    """`grouped` without the shuffle: what begins in a group stays in it."""
    return conv_norm(c_in, c_out, 3, stride, GROUPS, rng=rng)


def shifted(c_in, c_out, stride=1, *, rng):
    """1x1, shift by up to a pixel, 1x1: pixels mix without a spatial filter (Wu 2018, arXiv 1711.08141)."""
    return nn.Sequential(conv_norm(c_in, c_in, 1, rng=rng), nn.Shift2d(3), conv_norm(c_in, c_out, 1, stride, rng=rng))


class FilterNet(nn.Module):
    """stem, blocks, pool, fc; for images of 12 x 12 or more."""

    def __init__(self, block, width, num_classes, in_channels, rng):
        sizes = {"num_classes": num_classes, "in_channels": in_channels, "width": width}
        num_classes, in_channels, width = options.counts("filternet", **sizes)
        rng = nn.init.generator(rng)
        self.stem = conv_norm(in_channels, width, 3, 1, rng=rng)
        widths = [width, *(width * times for times, _ in BLOCKS)]
        strides = [stride for _, stride in BLOCKS]
        self.blocks = nn.Sequential(*[block(*sizes, rng=rng) for sizes in zip(widths, widths[1:], strides)])
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(widths[-1], num_classes, rng=rng)

    def forward(self, x):
        return self.fc(self.flatten(self.pool(self.blocks(self.stem(x)))))


@architecture
def filternet_full(num_classes: int = 10, in_channels: int = 1, width: int = 16, rng: Rng = None) -> nn.Module:
    """Full 3x3 convolutions."""
    return FilterNet(full, width, num_classes, in_channels, rng)


@architecture
def filternet_separable(num_classes: int = 10, in_channels: int = 1, width: int = 16, rng: Rng = None) -> nn.Module:
    """Depthwise-separable convolutions."""
    return FilterNet(separable, width, num_classes, in_channels, rng)


@architecture
def filternet_grouped(num_classes: int = 10, in_channels: int = 1, width: int = 16, rng: Rng = None) -> nn.Module:
    """Grouped convolutions with channel shuffle; width divisible by 4."""
    return FilterNet(grouped, width, num_classes, in_channels, rng)


@architecture
def filternet_unshuffled(num_classes: int = 10, in_channels: int = 1, width: int = 16, rng: Rng = None) -> nn.Module:
    """Grouped convolutions alone, to see what the shuffle is for; width divisible by 4."""
    return FilterNet(unshuffled, width, num_classes, in_channels, rng)


@architecture
def filternet_shift(num_classes: int = 10, in_channels: int = 1, width: int = 16, rng: Rng = None) -> nn.Module:
    """Shifts between 1x1 convolutions."""
    return FilterNet(shifted, width, num_classes, in_channels, rng)
