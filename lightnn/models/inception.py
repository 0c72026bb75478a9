"""Inception V3 (Szegedy et al. 2016, arXiv 1512.00567): GoogLeNet's modules with larger filters taken apart.

A 5x5 becomes two 3x3 (figure 5), n x n becomes 1 x n and n x 1 (figures 6 and 7), and where the map shrinks, pooling
and convolutions with stride run side by side (figure 10). torchvision's; for images of 299 x 299,
from 75 x 75 on without the auxiliary classifier.
"""

from functools import partial
from typing import NamedTuple

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.blocks import checked, scaled
from lightnn.models.inception_v1 import BasicConv2d, check_transform, to_inception
from lightnn.models.registry import Rng, architecture
from lightnn.tensor import Tensor

__all__ = ["InceptionOutputs", "inception_v3"]


class InceptionOutputs(NamedTuple):
    """What the network gives while it trains: twice logits (N, num_classes), torchvision's names."""

    logits: Tensor
    aux_logits: Tensor


class InceptionA(nn.Module):
    """1x1, 5x5, 3x3 twice, and pooling, side by side on 35 x 35 maps (figure 5)."""

    def __init__(self, c_in, pooled, w, conv):
        self.branch1x1 = conv(c_in, w(64), 1)
        self.branch5x5_1, self.branch5x5_2 = conv(c_in, w(48), 1), conv(w(48), w(64), 5, 1, 2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = conv(c_in, w(64), 1), conv(w(64), w(96), 3, 1, 1)
        self.branch3x3dbl_3 = conv(w(96), w(96), 3, 1, 1)
        self.pool, self.branch_pool = nn.AvgPool2d(3, 1, 1), conv(c_in, w(pooled), 1)
        self.joined, self.channels = nn.Identity(), w(64) + w(64) + w(96) + w(pooled)

    def forward(self, x):
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return self.joined(F.concat([self.branch1x1(x), five, double, self.branch_pool(self.pool(x))], 1))


class InceptionB(nn.Module):
    """From 35 x 35 to 17 x 17: two branches of convolutions with stride 2, and pooling (figure 10)."""

    def __init__(self, c_in, w, conv):
        self.branch3x3 = conv(c_in, w(384), 3, 2)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = conv(c_in, w(64), 1), conv(w(64), w(96), 3, 1, 1)
        self.branch3x3dbl_3, self.pool, self.joined = conv(w(96), w(96), 3, 2), nn.MaxPool2d(3, 2), nn.Identity()
        self.channels = w(384) + w(96) + c_in

    def forward(self, x):
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return self.joined(F.concat([self.branch3x3(x), double, self.pool(x)], 1))


class InceptionC(nn.Module):
    """7x7 as 1x7 and 7x1, once and twice, beside 1x1 and pooling, on 17 x 17 maps (figure 6); c7: channels between."""

    def __init__(self, c_in, c7, w, conv):
        c7, wide, tall = w(c7), ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))  # kernel, stride, padding
        self.branch1x1 = conv(c_in, w(192), 1)
        self.branch7x7_1, self.branch7x7_2 = conv(c_in, c7, 1), conv(c7, c7, *wide)
        self.branch7x7_3 = conv(c7, w(192), *tall)
        self.branch7x7dbl_1, self.branch7x7dbl_2 = conv(c_in, c7, 1), conv(c7, c7, *tall)
        self.branch7x7dbl_3, self.branch7x7dbl_4 = conv(c7, c7, *wide), conv(c7, c7, *tall)
        self.branch7x7dbl_5 = conv(c7, w(192), *wide)
        self.pool, self.branch_pool = nn.AvgPool2d(3, 1, 1), conv(c_in, w(192), 1)
        self.joined, self.channels = nn.Identity(), 4 * w(192)

    def forward(self, x):
        once = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        twice = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        twice = self.branch7x7dbl_5(self.branch7x7dbl_4(twice))
        return self.joined(F.concat([self.branch1x1(x), once, twice, self.branch_pool(self.pool(x))], 1))


class InceptionD(nn.Module):
    """From 17 x 17 to 8 x 8: 3x3, 7x7 and 3x3, both with stride 2, and pooling."""

    def __init__(self, c_in, w, conv):
        c = w(192)
        self.branch3x3_1, self.branch3x3_2 = conv(c_in, c, 1), conv(c, w(320), 3, 2)
        self.branch7x7x3_1, self.branch7x7x3_2 = conv(c_in, c, 1), conv(c, c, (1, 7), 1, (0, 3))
        self.branch7x7x3_3, self.branch7x7x3_4 = conv(c, c, (7, 1), 1, (3, 0)), conv(c, c, 3, 2)
        self.pool, self.joined, self.channels = nn.MaxPool2d(3, 2), nn.Identity(), w(320) + c + c_in

    def forward(self, x):
        seven = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        return self.joined(
            F.concat([self.branch3x3_2(self.branch3x3_1(x)), self.branch7x7x3_4(seven), self.pool(x)], 1)
        )


class InceptionE(nn.Module):
    """3x3 as 1x3 beside 3x1, on 8 x 8 maps: wide, for many features at the end (figure 7)."""

    def __init__(self, c_in, w, conv):
        c, wide, tall = w(384), ((1, 3), 1, (0, 1)), ((3, 1), 1, (1, 0))  # kernel, stride, padding
        self.branch1x1 = conv(c_in, w(320), 1)
        self.branch3x3_1, self.branch3x3_2a, self.branch3x3_2b = conv(c_in, c, 1), conv(c, c, *wide), conv(c, c, *tall)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = conv(c_in, w(448), 1), conv(w(448), c, 3, 1, 1)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = conv(c, c, *wide), conv(c, c, *tall)
        self.pool, self.branch_pool = nn.AvgPool2d(3, 1, 1), conv(c_in, w(192), 1)
        self.joined, self.channels = nn.Identity(), w(320) + 4 * c + w(192)

    def forward(self, x):
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double)]
        return self.joined(F.concat([self.branch1x1(x), *parts, self.branch_pool(self.pool(x))], 1))


class InceptionAux(nn.Module):
    """The auxiliary classifier, on 17 x 17 maps: 5x5 means with stride 3, 1x1, 5x5, global means, fc."""

    def __init__(self, c_in, num_classes, w, conv, rng):
        self.pool, self.conv0, self.conv1 = nn.AvgPool2d(5, 3), conv(c_in, w(128), 1), conv(w(128), w(768), 5)
        self.mean, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(w(768), num_classes, rng=rng)

    def forward(self, x):
        return self.fc(self.flatten(self.mean(self.conv1(self.conv0(self.pool(x))))))


class InceptionV3(nn.Module):
    """A stem of five convolutions, eleven Inception modules of five kinds, global average pooling, fc (table 1)."""

    def __init__(self, aux_logits, transform_input, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("inception_v3", num_classes, in_channels, width_mult, rng)
        self.aux_logits = options.flag("inception_v3: aux_logits", aux_logits)
        self.transform_input = check_transform("inception_v3", transform_input, in_channels)
        conv, w = partial(BasicConv2d, rng=rng), partial(scaled, width_mult=width_mult)
        self.Conv2d_1a_3x3, self.Conv2d_2a_3x3 = conv(in_channels, w(32), 3, 2), conv(w(32), w(32), 3)
        self.Conv2d_2b_3x3, self.maxpool1 = conv(w(32), w(64), 3, 1, 1), nn.MaxPool2d(3, 2)
        self.Conv2d_3b_1x1, self.Conv2d_4a_3x3 = conv(w(64), w(80), 1), conv(w(80), w(192), 3)
        self.maxpool2 = nn.MaxPool2d(3, 2)
        c = w(192)
        kinds = {"5b": (InceptionA, 32), "5c": (InceptionA, 64), "5d": (InceptionA, 64), "6a": (InceptionB,)}
        kinds |= {f"6{i}": (InceptionC, c7) for i, c7 in zip("bcde", (128, 160, 160, 192))}
        kinds |= {"7a": (InceptionD,), "7b": (InceptionE,), "7c": (InceptionE,)}
        for name, (kind, *extra) in kinds.items():
            module = kind(c, *extra, w, conv)
            setattr(self, f"Mixed_{name}", module)
            c = module.channels
            if name == "6e":
                self.AuxLogits = InceptionAux(c, num_classes, w, conv, rng) if self.aux_logits else None
        self.avgpool, self.dropout, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.5, rng=rng), nn.Flatten()
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = to_inception(x) if self.transform_input else x
        x = self.maxpool1(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))))
        x = self.maxpool2(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)))
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        middle = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        x = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(middle)))
        y = self.fc(self.flatten(self.dropout(self.avgpool(x))))
        return InceptionOutputs(y, self.AuxLogits(middle)) if self.training and self.aux_logits else y


@architecture
def inception_v3(
    num_classes: int = 1000,
    in_channels: int = 3,
    width_mult: float = 1.0,
    aux_logits: bool = True,
    transform_input: bool = False,
    rng: Rng = None,
) -> nn.Module:
    """27,161,264 parameters, 23,834,568 of them without the auxiliary classifier; 5.71 billion MACs on 299 x 299.

    aux_logits: in training it returns InceptionOutputs, for `auxiliary_loss`; in eval the logits alone.
    transform_input: as in `googlenet`.
    """
    return InceptionV3(aux_logits, transform_input, num_classes, in_channels, width_mult, rng)
