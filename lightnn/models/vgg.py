"""VGG-16 for CIFAR-10 (Simonyan & Zisserman 2015, arXiv 1409.1556, in the form of Li et al. 2017, arXiv 1608.08710)."""

from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["vgg16_cifar"]

WIDTHS = [64, 64, "pool", 128, 128, "pool", *[256] * 3, "pool", *[512] * 3, "pool", *[512] * 3, "pool"]


class VGG(nn.Module):
    """3x3 convolutions with batch norm and ReLU, five poolings, and two fully connected layers; 32 x 32 images."""

    def __init__(self, width_mult, num_classes, in_channels, rng):
        num_classes, in_channels = options.counts("vgg16_cifar", num_classes=num_classes, in_channels=in_channels)
        width_mult = options.number("vgg16_cifar: width_mult", width_mult, above=0, at_most=100)
        rng, c, layers = nn.init.generator(rng), in_channels, []
        for width in WIDTHS:
            if width == "pool":
                layers.append(nn.MaxPool2d(2))
                continue
            out = max(1, int(width * width_mult))
            layers += [nn.Conv2d(c, out, 3, padding=1, rng=rng), nn.BatchNorm2d(out), nn.ReLU()]
            c = out
        self.features, self.flatten = nn.Sequential(*layers), nn.Flatten()
        self.classifier = nn.Sequential(nn.Linear(c, c, rng=rng), nn.ReLU(), nn.Linear(c, num_classes, rng=rng))

    def forward(self, x):
        return self.classifier(self.flatten(self.features(x)))


@architecture
def vgg16_cifar(num_classes: int = 10, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """VGG-16 with batch norm for in_channels x 32 x 32 images and one hidden fully connected layer of 512:
    14,982,474 parameters and 8,448 of batch norm, 313.5 million MACs."""
    return VGG(width_mult, num_classes, in_channels, rng)
