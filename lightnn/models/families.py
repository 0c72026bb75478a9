"""Every family at the size of small images: one frame, and in it the family's own blocks with few channels.

A 3x3 stem, three stages on 14, 7 and 4 pixels of a 28 x 28 image, global average pooling and a fully connected layer.
What differs is what a stage is made of. AlexNet and VGG keep what made them: large filters, poolings and two fully
connected layers; and Inception V3 its own grid. For comparisons, not for records.
"""

from functools import partial

from lightnn import nn, options
from lightnn.models import inception, inception_v1, mnas, mobilenet2, mobilenet3, resnet, shift, shufflenet2
from lightnn.models import shufflenet as shufflenet1
from lightnn.models.blocks import checked, conv_norm, he_weights, scaled
from lightnn.models.dense import DenseBlock, Transition
from lightnn.models.efficient import MBConv
from lightnn.models.mobilenet import separable
from lightnn.models.registry import Rng, architecture
from lightnn.models.squeezenet import Fire

__all__ = ["SMALL_FAMILIES", "small"]

WIDTHS = (16, 32, 64)  # of the stages, times what a family's blocks are wider than ResNet's
GROUPS = 4


def two(block, times=1):
    """A family whose stages are two blocks: block(c_in, c_out, stride, rng). times: how wide, in units of WIDTHS."""

    def features(c, widths, rng):
        layers = []
        for stage, width in enumerate(widths):
            out = width * times
            layers += [block(c, out, 2 if stage else 1, rng), block(out, out, 1, rng)]
            c = out
        return layers, c

    return features


def basic(c_in, c_out, stride, rng):
    return resnet.BasicBlock(c_in, c_out, stride, True, rng)


def bottleneck(c_in, c_out, stride, rng):
    return resnet.Bottleneck(c_in, c_out // 4, stride, 1, rng)


def mobile3(c_in, c_out, stride, rng):
    """V3's block with squeeze-and-excitation, and hardswish on small maps, as in its last stages."""
    return mobilenet3.InvertedResidual(c_in, (5 if c_in > 16 else 3, 4 * c_in, c_out, True, c_in > 16, stride), 1, rng)


def mobile2(c_in, c_out, stride, rng):
    return mobilenet2.InvertedResidual(c_in, c_out, stride, 6, rng)


def searched(c_in, c_out, stride, rng):
    return mnas.InvertedResidual(c_in, c_out, 3 if stride == 1 else 5, stride, 3, rng)


def mbconv(c_in, c_out, stride, rng):
    return MBConv(c_in, c_out, 3 if stride == 1 else 5, stride, 6, 0.0, nn.BatchNorm2d, rng)


def shuffle1(c_in, c_out, stride, rng):
    """V1's unit adds its input, and so begins each stage with stride 2, also the first."""
    stride = 2 if c_in != c_out else 1
    return shufflenet1.ShuffleUnit(c_in, c_out, stride, GROUPS, GROUPS if c_in % GROUPS == 0 else 1, rng)


def shuffle2(c_in, c_out, stride, rng):
    return shufflenet2.ShuffleUnit(c_in, c_out, 2 if c_in != c_out else 1, rng)


def csc(c_in, c_out, stride, rng):
    """ShiftNet's module; where it widens it has stride 2, so the first stage does, too."""
    return shift.CSC(c_in, c_out, 2 if c_in != c_out else 1, 3, 3, rng)


def fires(c, widths, rng):
    layers = []
    for stage, width in enumerate(widths):
        layers += [nn.MaxPool2d(3, 2, 1)] * (stage > 0)
        layers += [Fire(c, width // 2, width, rng), Fire(2 * width, width // 2, width, rng)]
        c = 2 * width
    return layers, c


def inceptions(c, widths, rng):
    layers = []
    for stage, width in enumerate(widths):
        c_out = 2 * width
        parts = (c_out // 4, c_out // 4, c_out // 2, c_out // 16, c_out // 8, c_out // 8)
        layers += [nn.MaxPool2d(3, 2, 1)] * (stage > 0)
        layers += [inception_v1.Inception(c, parts, rng), inception_v1.Inception(c_out, parts, rng)]
        c = c_out
    return layers, c


def factorized(c, widths, rng):
    """One of each of Inception V3's five modules: maps of 14, 6 and 2 pixels."""
    conv, w = partial(inception_v1.BasicConv2d, rng=rng), partial(scaled, width_mult=widths[0] / 128)
    kinds = [(inception.InceptionA, 32), (inception.InceptionB,), (inception.InceptionC, 128), (inception.InceptionD,)]
    layers = []
    for kind, *extra in [*kinds, (inception.InceptionE,)]:
        layers.append(kind(c, *extra, w, conv))
        c = layers[-1].channels
    return layers, c


def dense(c, widths, rng):
    layers, growth = [], max(1, widths[0] * 3 // 4)
    for stage in range(3):
        layers += [Transition(c, rng)] * (stage > 0)
        c = c // 2 if stage else c
        layers.append(DenseBlock(c, 4, growth, rng))
        c += 4 * growth
    return [*layers, nn.BatchNorm2d(c), nn.ReLU()], c


def shifts(c, widths, rng):
    layers, c = two(csc, 2)(c, widths, rng)
    return [*layers, nn.BatchNorm2d(c), nn.ReLU()], c


# family: (what makes its stages, the stem's stride)
STAGED = {
    "googlenet": (inceptions, 2), "inception_v3": (factorized, 2),
    "resnet": (two(basic), 2), "bottleneck": (two(bottleneck, 4), 2),
    "densenet": (dense, 2), "squeezenet": (fires, 2),
    "mobilenet_v1": (two(lambda c_in, c_out, stride, rng: separable(c_in, c_out, stride, rng=rng), 2), 2),
    "mobilenet_v2": (two(mobile2), 2), "mobilenet_v3": (two(mobile3), 2),
    "shufflenet_v1": (two(shuffle1, 4), 1), "shufflenet_v2": (two(shuffle2, 2), 1),
    "mnasnet": (two(searched), 2), "efficientnet": (two(mbconv), 2), "shiftnet": (shifts, 1),
}  # fmt: skip
SMALL_FAMILIES = ("alexnet", "vgg", *STAGED)


def alexnet(in_channels, widths, num_classes, rng):
    """5x5, 5x5, 3x3 three times, three overlapping poolings, two hidden layers with dropout; no batch norm."""
    a, b, c = widths
    features = nn.Sequential(
        *(nn.Conv2d(in_channels, a, 5, 1, 2, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(a, b, 5, 1, 2, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(b, c, 3, 1, 1, rng=rng), nn.ReLU(), nn.Conv2d(c, c, 3, 1, 1, rng=rng), nn.ReLU()),
        *(nn.Conv2d(c, c, 3, 1, 1, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
    )
    he_weights(features, rng)
    return features, hidden_layers(4 * c, 8 * c, 2, num_classes, rng)


def vgg(in_channels, widths, num_classes, rng):
    """3x3 twice and a pooling, three times, with batch norm; one hidden layer."""
    layers, c = [], in_channels
    for width in widths:
        layers += [conv_norm(c, width, 3, rng=rng), conv_norm(width, width, 3, rng=rng), nn.MaxPool2d(2)]
        c = width
    return nn.Sequential(*layers), hidden_layers(9 * c, 2 * c, 1, num_classes, rng)


def hidden_layers(c, hidden, count, num_classes, rng):
    """Fully connected layers with ReLU and dropout, and the last one."""
    layers = []
    for _ in range(count):
        layers += [nn.Linear(c, hidden, rng=rng), nn.ReLU(), nn.Dropout(0.5, rng=rng)]
        c = hidden
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(c, num_classes, rng=rng))


class Small(nn.Module):
    """features and classifier."""

    def __init__(self, family, width_mult, num_classes, in_channels, rng):
        family = options.one_of("small: family", family, SMALL_FAMILIES)
        num_classes, in_channels, width_mult, rng = checked("small", num_classes, in_channels, width_mult, rng)
        widths = [16 * max(1, round(width * width_mult / 16)) for width in WIDTHS]
        if family in STAGED:
            make, stride = STAGED[family]
            if family == "squeezenet":  # it has no batch norm
                stem = nn.Sequential(nn.Conv2d(in_channels, widths[0], 3, stride, 1, rng=rng), nn.ReLU())
            else:
                stem = conv_norm(in_channels, widths[0], 3, stride, rng=rng)
            layers, c = make(widths[0], widths, rng)
            self.features = nn.Sequential(stem, *layers)
            if family == "squeezenet":
                he_weights(self.features, rng)
            last = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c, num_classes, rng=rng)
            self.classifier = nn.Sequential(*last)
        else:
            make = alexnet if family == "alexnet" else vgg
            self.features, self.classifier = make(in_channels, widths, num_classes, rng)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = 0.1  # some families' own is for hundreds of thousands of steps

    def forward(self, x):
        return self.classifier(self.features(x))


@architecture
def small(
    family: str = "resnet", width_mult: float = 1.0, num_classes: int = 10, in_channels: int = 1, rng: Rng = None
) -> nn.Module:
    """A network of a few blocks of the family, one of SMALL_FAMILIES, for images of 28 x 28 (AlexNet and VGG) or about
    that. Widths are 16, 32 and 64 times width_mult, in steps of 16, times what the family's blocks want."""
    return Small(family, width_mult, num_classes, in_channels, rng)
