"""GoogLeNet (Szegedy et al. 2015, arXiv 1409.4842): Inception, four filters side by side, their maps one after another.

torchvision's: batch norm after each convolution, and a 3x3 where the paper has a 5x5. Two auxiliary classifiers in the
middle help the gradient on its way down while the network trains.
"""

from typing import NamedTuple

import numpy as np

from lightnn import functional as F
from lightnn import nn, options
from lightnn.models.blocks import checked, scaled
from lightnn.models.registry import Rng, architecture
from lightnn.tensor import Tensor

__all__ = ["GoogLeNetOutputs", "auxiliary_loss", "googlenet"]

WIDTHS = {  # table 1: 1x1 | 1x1 3x3 | 1x1 "5x5" | pool, 1x1
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip


class GoogLeNetOutputs(NamedTuple):
    """What the network gives while it trains: three times logits (N, num_classes), torchvision's names and order."""

    logits: Tensor
    aux_logits2: Tensor
    aux_logits1: Tensor


def auxiliary_loss(outputs: tuple[Tensor, ...], labels: np.ndarray, weight: float = 0.3) -> Tensor:
    """L = CE(logits) + weight (sum of CE over the auxiliary logits), 0.3 as in section 5 of the paper. outputs: what
    GoogLeNet or Inception V3 gives while it trains."""
    weight = options.number("auxiliary_loss: weight", weight, at_least=0)
    first, *others = (F.cross_entropy(y, labels) for y in outputs)
    return sum((weight * loss for loss in others), first)


def to_inception(x: Tensor) -> Tensor:
    """Images normalized by ImageNet's means and deviations become (image - 1/2) / (1/2), which weights that come from
    TensorFlow want (torchvision's transform_input)."""
    std, mean = np.array([0.229, 0.224, 0.225]), np.array([0.485, 0.456, 0.406])
    scale, shift = ((v.reshape(1, 3, 1, 1)).astype(x.dtype) for v in (std / 0.5, (mean - 0.5) / 0.5))
    return x * scale + shift


class BasicConv2d(nn.Module):
    """Convolution without bias, batch norm, ReLU."""

    def __init__(self, c_in, c_out, kernel, stride=1, padding=0, *, rng):
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, padding, bias=False, rng=rng)
        self.bn, self.relu = nn.BatchNorm2d(c_out, eps=1e-3), nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """1x1, 3x3, a second 3x3 and pooling side by side; 1x1 convolutions before the 3x3 make them cheap (figure 2b)."""

    def __init__(self, c_in, widths, rng):
        one, reduce3, three, reduce5, five, pooled = widths
        self.branch1 = BasicConv2d(c_in, one, 1, rng=rng)
        self.branch2 = nn.Sequential(
            BasicConv2d(c_in, reduce3, 1, rng=rng), BasicConv2d(reduce3, three, 3, 1, 1, rng=rng)
        )
        self.branch3 = nn.Sequential(
            BasicConv2d(c_in, reduce5, 1, rng=rng), BasicConv2d(reduce5, five, 3, 1, 1, rng=rng)
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode=True), BasicConv2d(c_in, pooled, 1, rng=rng))
        self.joined = nn.Identity()

    def forward(self, x):
        return self.joined(F.concat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1))


class InceptionAux(nn.Module):
    """An auxiliary classifier: 4 x 4 means, 1x1 convolution, two fully connected layers."""

    def __init__(self, c_in, width_mult, num_classes, rng):
        c, hidden = scaled(128, width_mult), scaled(1024, width_mult)
        self.pool, self.flatten = nn.AdaptiveAvgPool2d(4), nn.Flatten()
        self.conv = BasicConv2d(c_in, c, 1, rng=rng)
        self.fc1, self.relu = nn.Linear(c * 16, hidden, rng=rng), nn.ReLU()
        self.fc2, self.dropout = nn.Linear(hidden, num_classes, rng=rng), nn.Dropout(0.7, rng=rng)

    def forward(self, x):
        x = self.flatten(self.conv(self.pool(x)))
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """A stem of three convolutions, nine Inception modules with poolings between, global average pooling, fc."""

    def __init__(self, aux_logits, transform_input, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("googlenet", num_classes, in_channels, width_mult, rng)
        self.aux_logits = options.flag("googlenet: aux_logits", aux_logits)
        self.transform_input = check_transform("googlenet", transform_input, in_channels)
        a, c = scaled(64, width_mult), scaled(192, width_mult)
        self.conv1, self.maxpool1 = BasicConv2d(in_channels, a, 7, 2, 3, rng=rng), nn.MaxPool2d(3, 2, ceil_mode=True)
        self.conv2, self.conv3 = BasicConv2d(a, a, 1, rng=rng), BasicConv2d(a, c, 3, 1, 1, rng=rng)
        self.maxpool2 = nn.MaxPool2d(3, 2, ceil_mode=True)
        into = {}
        for name, widths in WIDTHS.items():
            widths = [scaled(n, width_mult) for n in widths]
            into[name] = c
            setattr(self, f"inception{name}", Inception(c, widths, rng))
            c = widths[0] + widths[2] + widths[4] + widths[5]
        self.maxpool3, self.maxpool4 = nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 2, ceil_mode=True)
        self.aux1 = InceptionAux(into["4b"], width_mult, num_classes, rng) if self.aux_logits else None
        self.aux2 = InceptionAux(into["4e"], width_mult, num_classes, rng) if self.aux_logits else None
        self.avgpool, self.flatten, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2, rng=rng)
        self.fc = nn.Linear(c, num_classes, rng=rng)

    def forward(self, x):
        x = to_inception(x) if self.transform_input else x
        x = self.maxpool2(self.conv3(self.conv2(self.maxpool1(self.conv1(x)))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        first = self.inception4a(x)
        second = self.inception4d(self.inception4c(self.inception4b(first)))
        x = self.maxpool4(self.inception4e(second))
        x = self.avgpool(self.inception5b(self.inception5a(x)))
        y = self.fc(self.dropout(self.flatten(x)))
        return GoogLeNetOutputs(y, self.aux2(second), self.aux1(first)) if self.training and self.aux_logits else y


def check_transform(name: str, transform_input: bool, in_channels: int) -> bool:
    """transform_input, after a check: it is about the colours red, green and blue."""
    if options.flag(f"{name}: transform_input", transform_input) and in_channels != 3:
        raise ValueError(f"{name}: transform_input: want in_channels=3 with it, got {in_channels}")
    return bool(transform_input)


@architecture
def googlenet(
    num_classes: int = 1000,
    in_channels: int = 3,
    width_mult: float = 1.0,
    aux_logits: bool = True,
    transform_input: bool = False,
    rng: Rng = None,
) -> nn.Module:
    """6,624,904 parameters without the auxiliary classifiers, 1.50 billion MACs on 224 x 224; images from 32 x 32 on.

    aux_logits: in training it returns GoogLeNetOutputs, for `auxiliary_loss`; in eval the logits alone, without
    running the auxiliary classifiers. transform_input: see `to_inception`; torchvision's trained weights want it.
    """
    return GoogLeNet(aux_logits, transform_input, num_classes, in_channels, width_mult, rng)
