"""ShuffleNet (Zhang et al. 2018, arXiv 1707.01083): grouped 1x1 convolutions, a channel shuffle, depthwise 3x3.

A unit of c channels with a bottleneck of m costs h w (2 c m / g + 9 m) MACs (section 3.2). For g groups the widths of
table 1 keep the sum near 140 million: more groups pay for more channels.
"""

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["shufflenet_v1"]

WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}  # groups: channels of stage 2; each later stage doubles them
UNITS = (4, 8, 4)


class ShuffleUnit(nn.Module):
    """1x1 grouped, shuffle, 3x3 depthwise, 1x1 grouped; then the input added, or beside it at stride 2 (figure 2)."""

    def __init__(self, c_in, c_out, stride, groups, groups_in, rng):
        mid, more = c_out // 4, c_out - c_in if stride == 2 else c_out
        self.conv1 = nn.Conv2d(c_in, mid, 1, groups=groups_in, bias=False, rng=rng)
        self.bn1, self.relu = nn.BatchNorm2d(mid), nn.ReLU()
        self.shuffle = nn.ChannelShuffle(groups)
        self.conv2 = nn.Conv2d(mid, mid, 3, stride, 1, groups=mid, bias=False, rng=rng)
        self.bn2 = nn.BatchNorm2d(mid)
        self.conv3 = nn.Conv2d(mid, more, 1, groups=groups, bias=False, rng=rng)
        self.bn3, self.relu2 = nn.BatchNorm2d(more), nn.ReLU()
        self.pool = nn.AvgPool2d(3, 2, 1) if stride == 2 else None

    def forward(self, x):
        y = self.shuffle(self.relu(self.bn1(self.conv1(x))))
        y = self.bn3(self.conv3(self.bn2(self.conv2(y))))
        return self.relu2(F.concat([self.pool(x), y], 1) if self.pool is not None else x + y)


class ShuffleNetV1(nn.Module):
    """A 3x3 stem and a max-pool, three stages of units, global average pooling, a fully connected layer (table 1)."""

    def __init__(self, groups, width_mult, num_classes, in_channels, rng):
        num_classes, in_channels = options.counts("shufflenet_v1", num_classes=num_classes, in_channels=in_channels)
        width_mult = options.number("shufflenet_v1: width_mult", width_mult, above=0, at_most=100)
        if options.count("shufflenet_v1: groups", groups) not in WIDTHS:
            raise ValueError(f"shufflenet_v1: want groups from table 1, one of {list(WIDTHS)}; got {groups!r}")
        rng, c = nn.init.generator(rng), int(24 * width_mult)
        self.conv1 = nn.Conv2d(in_channels, c, 3, 2, 1, bias=False, rng=rng)
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        units = []
        for stage, count in enumerate(UNITS):
            width = int(WIDTHS[groups] * width_mult) * 2**stage
            for unit in range(count):
                groups_in = groups if units else 1  # few channels come in: "we do not apply group convolution" there
                units.append(ShuffleUnit(c, width, 1 if unit else 2, groups, groups_in, rng))
                c = width
        self.units, self.pool, self.flatten = nn.Sequential(*units), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = self.units(self.maxpool(self.relu(self.bn1(self.conv1(x)))))
        return self.fc(self.flatten(self.pool(x)))


@architecture
def shufflenet_v1(
    groups: int = 3, width_mult: float = 1.0, num_classes: int = 1000, in_channels: int = 3, rng: Rng = None
) -> nn.Module:
    """ShuffleNet s x, s = width_mult, with g = groups of 1, 2, 3, 4 or 8, for images of 224 x 224 (or 32 x 32 on)."""
    return ShuffleNetV1(groups, width_mult, num_classes, in_channels, rng)
