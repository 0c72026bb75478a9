"""The networks of the papers on one bit, for MNIST: two fully connected ones and a LeNet-5. They are built with plain
weights; `compress.use_binary` and its like say which of them get one bit."""

import itertools

from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["binaryconnect_mlp", "bnn_mlp", "xnor_lenet5"]


class Mlp(nn.Module):
    """Three hidden layers of one width; a batch norm after every layer, the last one too; an activation in between."""

    def __init__(self, num_classes, in_channels, width, activation, rng):
        rng = nn.init.generator(rng)
        sizes = (in_channels * 28 * 28, width, width, width, num_classes)
        self.fc1, self.fc2, self.fc3, self.fc4 = (nn.Linear(i, o, rng=rng) for i, o in itertools.pairwise(sizes))
        self.bn1, self.bn2, self.bn3, self.bn4 = map(nn.BatchNorm1d, sizes[1:])
        self.act1, self.act2, self.act3, self.flatten = activation(), activation(), activation(), nn.Flatten()

    def forward(self, x):
        x = self.act1(self.bn1(self.fc1(self.flatten(x))))
        x = self.act2(self.bn2(self.fc2(x)))
        x = self.act3(self.bn3(self.fc3(x)))
        return self.bn4(self.fc4(x))


class XnorLeNet5(nn.Module):
    """The LeNet-5 of ternary weight networks in XNOR-Net's block order: batch norm, sign, layer, pooling. conv 32 5x5,
    then the signs: conv 64 5x5, 512; then 10. The first and the last layer read numbers, not signs.

    582,634 parameters, 581,408 of them weights; for 28 x 28 images.
    """

    def __init__(self, num_classes, in_channels, rng):
        rng = nn.init.generator(rng)
        self.conv1 = nn.Conv2d(in_channels, 32, 5, bias=False, rng=rng)
        self.conv2 = nn.Conv2d(32, 64, 5, bias=False, rng=rng)
        self.fc1 = nn.Linear(64 * 4 * 4, 512, bias=False, rng=rng)
        self.fc2 = nn.Linear(512, num_classes, rng=rng)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(32), nn.BatchNorm2d(64), nn.BatchNorm1d(512)
        self.act1, self.act2, self.act3 = nn.Sign(), nn.Sign(), nn.ReLU()
        self.pool, self.pool2, self.flatten = nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Flatten()

    def forward(self, x):
        x = self.act1(self.bn1(self.pool(self.conv1(x))))
        x = self.act2(self.bn2(self.pool2(self.conv2(x))))
        x = self.act3(self.bn3(self.fc1(self.flatten(x))))
        return self.fc2(x)


@architecture
def binaryconnect_mlp(num_classes: int = 10, in_channels: int = 1, width: int = 1024, rng: Rng = None) -> nn.Module:
    """784-1024-1024-1024-10 with ReLU, for in_channels x 28 x 28 images (Courbariaux, Bengio & David 2015, arXiv
    1511.00363, section 3.1); its loss is that of an L2-SVM."""
    sizes = {"num_classes": num_classes, "in_channels": in_channels, "width": width}
    return Mlp(*options.counts("binaryconnect_mlp", **sizes), nn.ReLU, rng)


@architecture
def bnn_mlp(num_classes: int = 10, in_channels: int = 1, width: int = 2048, rng: Rng = None) -> nn.Module:
    """784-2048-2048-2048-10 with signs as activations, for in_channels x 28 x 28 images (Courbariaux, Hubara et al.
    2016, arXiv 1602.02830, the network of its Torch7 run); its loss is an L2-SVM's. The first layer reads numbers."""
    sizes = {"num_classes": num_classes, "in_channels": in_channels, "width": width}
    return Mlp(*options.counts("bnn_mlp", **sizes), nn.Sign, rng)


@architecture
def xnor_lenet5(num_classes: int = 10, in_channels: int = 1, rng: Rng = None) -> nn.Module:
    """The LeNet-5 of ternary weight networks with signs before its inner layers, for in_channels x 28 x 28 images."""
    num_classes, in_channels = options.counts("xnor_lenet5", num_classes=num_classes, in_channels=in_channels)
    return XnorLeNet5(num_classes, in_channels, rng)
