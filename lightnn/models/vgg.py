"""VGG-16 (Simonyan & Zisserman 2015, arXiv 1409.1556): 3x3 convolutions only, configuration D of table 1.

`vgg16` is torchvision's; `vgg16_cifar` has batch norm and one hidden fully connected layer, as in Li et al. 2017 (arXiv
1608.08710).
"""

from lightnn import nn
from lightnn.models.blocks import checked, he_weights, scaled
from lightnn.models.registry import Rng, architecture

__all__ = ["vgg16", "vgg16_cifar"]

WIDTHS = [64, 64, "pool", 128, 128, "pool", *[256] * 3, "pool", *[512] * 3, "pool", *[512] * 3, "pool"]


def convolutions(in_channels, width_mult, norm, rng):
    """(The layers of WIDTHS, the channels of the last one). norm: the layers after a convolution of c channels."""
    layers, c = [], in_channels
    for width in WIDTHS:
        if width == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        out = scaled(width, width_mult)
        layers += [nn.Conv2d(c, out, 3, padding=1, rng=rng), *norm(out), nn.ReLU()]
        c = out
    return nn.Sequential(*layers), c


class VGG(nn.Module):
    """features, 7 x 7 means, and three fully connected layers, which hold 89 % of the weights; torchvision's names.
    Images from 32 x 32 on."""

    def __init__(self, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("vgg16", num_classes, in_channels, width_mult, rng)
        self.features, c = convolutions(in_channels, width_mult, lambda out: [], rng)
        he_weights(self.features, rng)
        hidden = scaled(4096, width_mult)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(7), nn.Flatten()
        self.classifier = nn.Sequential(
            *(nn.Linear(c * 49, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng)),
            *(nn.Linear(hidden, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng)),
            nn.Linear(hidden, num_classes, rng=rng),
        )

    def forward(self, x):
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


class CifarVGG(nn.Module):
    """3x3 convolutions with batch norm and ReLU, five poolings, and two fully connected layers; 32 x 32 images."""

    def __init__(self, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("vgg16_cifar", num_classes, in_channels, width_mult, rng)
        self.features, c = convolutions(in_channels, width_mult, lambda out: [nn.BatchNorm2d(out)], rng)
        self.flatten = nn.Flatten()
        self.classifier = nn.Sequential(nn.Linear(c, c, rng=rng), nn.ReLU(), nn.Linear(c, num_classes, rng=rng))

    def forward(self, x):
        return self.classifier(self.flatten(self.features(x)))


@architecture
def vgg16(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """138,357,544 parameters, 15.5 billion MACs on 224 x 224."""
    return VGG(num_classes, in_channels, width_mult, rng)


@architecture
def vgg16_cifar(num_classes: int = 10, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """VGG-16 with batch norm for in_channels x 32 x 32 images and one hidden fully connected layer of 512:
    14,982,474 parameters and 8,448 of batch norm, 313.5 million MACs."""
    return CifarVGG(num_classes, in_channels, width_mult, rng)
