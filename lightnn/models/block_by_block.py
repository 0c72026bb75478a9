"""A small network for 28 x 28 images whose blocks a search chooses, each by an operation, a kernel and a depth.

The operations are MnasNet's (Tan et al. 2019, arXiv 1807.11626, section 4.1); the layers of a block are all alike: a
convolution, a separable one, or an inverted residual with expansion 3.
"""

from collections.abc import Sequence

from lightnn import nn, options
from lightnn.models.blocks import checked, conv_norm
from lightnn.models.mnas import InvertedResidual
from lightnn.models.registry import Rng, architecture

__all__ = ["OPERATIONS", "searched"]

OPERATIONS = ("conv", "separable", "inverted")
EXPANSION = 3


def layer(operation, c_in, c_out, kernel, stride, rng):
    """One layer of a block."""
    if operation == "conv":
        return conv_norm(c_in, c_out, kernel, stride, rng=rng)
    if operation == "separable":
        depthwise = conv_norm(c_in, c_in, kernel, stride, groups=c_in, rng=rng)
        return nn.Sequential(depthwise, conv_norm(c_in, c_out, 1, rng=rng))
    return InvertedResidual(c_in, c_out, kernel, stride, EXPANSION, rng)


class Searched(nn.Module):
    """A 3x3 stem with stride 2, the blocks, each with stride 2, global average pooling, a fully connected layer."""

    def __init__(self, operations, kernels, depths, width, num_classes, in_channels, rng):
        num_classes, in_channels, _, rng = checked("searched", num_classes, in_channels, 1.0, rng)
        c = options.count("searched: width", width)
        layers = [conv_norm(in_channels, c, 3, 2, rng=rng)]
        for operation, kernel, depth in zip(operations, kernels, depths, strict=True):
            for k in range(depth):
                c_out = c if k else 2 * c
                layers.append(layer(OPERATIONS[operation], c, c_out, kernel, 1 if k else 2, rng))
                c = c_out
        self.features, self.pool, self.flatten = nn.Sequential(*layers), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.classifier = nn.Linear(c, num_classes, rng=rng)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm2d):
                m.momentum = 0.1  # MnasNet's own is for hundreds of thousands of steps

    def forward(self, x):
        return self.classifier(self.flatten(self.pool(self.features(x))))


@architecture
def searched(
    operations: Sequence[int] = (1, 1),
    kernels: Sequence[int] = (3, 3),
    depths: Sequence[int] = (1, 1),
    width: int = 8,
    num_classes: int = 10,
    in_channels: int = 1,
    rng: Rng = None,
) -> nn.Module:
    """A network of as many blocks as there are operations, which are numbers in OPERATIONS; kernels are odd. Each block
    has twice the channels of what comes before it, at first `width`."""
    want = "one to eight ints, as many of each"
    operations = options.ints("searched: operations", operations, want)
    kernels = options.ints("searched: kernels", kernels, want, at_least=1)
    depths = options.ints("searched: depths", depths, want, at_least=1)
    if not 1 <= len(operations) <= 8 or not len(operations) == len(kernels) == len(depths):
        raise options.wrong("searched: operations, kernels, depths", want, (operations, kernels, depths))
    if max(operations) >= len(OPERATIONS):
        raise options.wrong("searched: operations", f"ints from 0 to {len(OPERATIONS) - 1}", operations)
    if not all(kernel % 2 for kernel in kernels):
        raise options.wrong("searched: kernels", "odd ints", kernels)
    return Searched(operations, kernels, depths, width, num_classes, in_channels, rng)
