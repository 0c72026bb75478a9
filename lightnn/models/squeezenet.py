"""SqueezeNet (Iandola et al. 2016, arXiv 1602.07360): AlexNet's accuracy with a fiftieth of its parameters.

Three rules (section 3.1): 1x1 filters instead of 3x3; few channels into those that are 3x3 (squeeze); pool late, so
that maps are large. There is no fully connected layer and no batch norm.
"""

from lightnn import functional as F
from lightnn import nn
from lightnn.models.blocks import checked, he_weights, scaled
from lightnn.models.registry import Rng, architecture

__all__ = ["squeezenet1_0", "squeezenet1_1"]

FIRES = [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)]  # squeeze, each expand


class Fire(nn.Module):
    """1x1 to few channels, then 1x1 and 3x3 side by side (figure 1)."""

    def __init__(self, c_in, squeeze, expand, rng):
        self.squeeze, self.squeeze_activation = nn.Conv2d(c_in, squeeze, 1, rng=rng), nn.ReLU()
        self.expand1x1, self.expand1x1_activation = nn.Conv2d(squeeze, expand, 1, rng=rng), nn.ReLU()
        self.expand3x3, self.expand3x3_activation = nn.Conv2d(squeeze, expand, 3, padding=1, rng=rng), nn.ReLU()
        self.joined = nn.Identity()

    def forward(self, x):
        x = self.squeeze_activation(self.squeeze(x))
        parts = [self.expand1x1_activation(self.expand1x1(x)), self.expand3x3_activation(self.expand3x3(x))]
        return self.joined(F.concat(parts, 1))


class SqueezeNet(nn.Module):
    """features (a stem, eight Fire modules, three poolings) and a classifier of a 1x1 convolution and global means;
    torchvision's names. stem: channels and kernel of the first convolution; pools: the fires before which is pooled."""

    def __init__(self, stem, pools, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("squeezenet", num_classes, in_channels, width_mult, rng)
        c = scaled(stem[0], width_mult)
        layers = [nn.Conv2d(in_channels, c, stem[1], 2, rng=rng), nn.ReLU()]
        for i, sizes in enumerate(FIRES):
            squeeze, expand = (scaled(n, width_mult) for n in sizes)
            layers += [nn.MaxPool2d(3, 2, ceil_mode=True)] * (i in pools) + [Fire(c, squeeze, expand, rng)]
            c = 2 * expand
        self.features = nn.Sequential(*layers)
        he_weights(self.features, rng)
        last = nn.Conv2d(c, num_classes, 1, rng=rng)
        self.classifier = nn.Sequential(nn.Dropout(0.5, rng=rng), last, nn.ReLU(), nn.AdaptiveAvgPool2d(1))
        self.flatten = nn.Flatten()

    def forward(self, x):
        return self.flatten(self.classifier(self.features(x)))


@architecture
def squeezenet1_0(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """The paper's: 1,248,424 parameters, 819 million MACs on 224 x 224."""
    return SqueezeNet((96, 7), (0, 3, 7), num_classes, in_channels, width_mult, rng)


@architecture
def squeezenet1_1(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """The authors' second version, with a smaller stem and earlier poolings: 1,235,496 parameters, 349 million MACs."""
    return SqueezeNet((64, 3), (0, 2, 4), num_classes, in_channels, width_mult, rng)
