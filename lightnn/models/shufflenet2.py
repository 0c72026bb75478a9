"""ShuffleNet V2 (Ma et al. 2018, arXiv 1807.11164): half of the channels pass by, the other half are convolved.

It follows four guidelines for speed rather than MACs (section 2): as many channels in as out, no grouped 1x1
convolutions, few branches, few elementwise operations. The shuffle makes each half see the other in the next unit.
"""

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.blocks import conv_norm
from lightnn.models.registry import Rng, architecture

__all__ = ["shufflenet_v2", "shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "shufflenet_v2_x1_5", "shufflenet_v2_x2_0"]

UNITS = {"stage2": 4, "stage3": 8, "stage4": 4}


class ShuffleUnit(nn.Module):
    """1x1, depthwise 3x3, 1x1 on the second half of the channels; at stride 2 on all of them, beside a depthwise 3x3
    and a 1x1, which makes twice as many (figure 3 c and d). No ReLU follows a depthwise convolution."""

    def __init__(self, c_in, c_out, stride, rng):
        half = c_out // 2
        first = c_in if stride > 1 else half
        self.half = None if stride > 1 else half
        self.branch1 = nn.Sequential(*self._depthwise(c_in, half, stride, rng) if stride > 1 else ())
        self.branch2 = nn.Sequential(*conv_norm(first, half, 1, rng=rng), *self._depthwise(half, half, stride, rng))
        self.joined, self.shuffle = nn.Identity(), nn.ChannelShuffle(2)

    @staticmethod
    def _depthwise(c_in, c_out, stride, rng):
        """Depthwise 3x3, then 1x1: the layers of both in one list."""
        return [*conv_norm(c_in, c_in, 3, stride, c_in, act=None, rng=rng), *conv_norm(c_in, c_out, 1, rng=rng)]

    def forward(self, x):
        left, right = (x, x) if self.half is None else (x[:, : self.half], x[:, self.half :])
        return self.shuffle(self.joined(F.concat([self.branch1(left), self.branch2(right)], 1)))


class ShuffleNetV2(nn.Module):
    """conv1 and a max-pool, three stages, conv5, global average pooling, fc (table 5); torchvision's names."""

    def __init__(self, width, last, num_classes, in_channels, rng):
        sizes = {"width": width, "last": last, "num_classes": num_classes, "in_channels": in_channels}
        width, last, num_classes, in_channels = options.counts("shufflenet_v2", **sizes)
        if width % 2:
            raise ValueError(f"shufflenet_v2: width: want an even number of channels, which are halved; got {width}")
        rng, c = nn.init.generator(rng), 24
        self.conv1, self.maxpool = conv_norm(in_channels, c, 3, 2, rng=rng), nn.MaxPool2d(3, 2, 1)
        for i, (stage, count) in enumerate(UNITS.items()):
            first = ShuffleUnit(c, width * 2**i, 2, rng)
            c = width * 2**i
            setattr(self, stage, nn.Sequential(first, *(ShuffleUnit(c, c, 1, rng) for _ in range(count - 1))))
        self.conv5, self.pool, self.flatten = conv_norm(c, last, 1, rng=rng), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(last, num_classes, rng=rng)

    def forward(self, x):
        x = self.stage4(self.stage3(self.stage2(self.maxpool(self.conv1(x)))))
        return self.fc(self.flatten(self.pool(self.conv5(x))))


@architecture
def shufflenet_v2(
    width: int = 116, last: int = 1024, num_classes: int = 1000, in_channels: int = 3, rng: Rng = None
) -> nn.Module:
    """width: the channels of stage 2, even; each later stage has twice as many. last: those of the last convolution."""
    return ShuffleNetV2(width, last, num_classes, in_channels, rng)


def shufflenet_v2_x0_5(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """1,366,792 parameters, 40.5 million MACs on 224 x 224."""
    return shufflenet_v2(48, 1024, num_classes, in_channels, rng)


def shufflenet_v2_x1_0(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """2,278,604 parameters, 145 million MACs on 224 x 224."""
    return shufflenet_v2(116, 1024, num_classes, in_channels, rng)


def shufflenet_v2_x1_5(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """3,503,624 parameters, 296 million MACs on 224 x 224."""
    return shufflenet_v2(176, 1024, num_classes, in_channels, rng)


def shufflenet_v2_x2_0(num_classes: int = 1000, in_channels: int = 3, rng: Rng = None) -> nn.Module:
    """7,393,996 parameters, 583 million MACs on 224 x 224."""
    return shufflenet_v2(244, 2048, num_classes, in_channels, rng)
