"""The LeNets of the compression papers: two as Han et al. 2015 use them (LeCun et al. 1998, in Caffe's form), and the
one with batch norms of Li, Zhang & Liu 2016 ("Ternary Weight Networks", arXiv 1605.04711)."""

from lightnn import nn, options
from lightnn.models.registry import Rng, architecture

__all__ = ["lenet5", "lenet_300_100", "twn_lenet5"]


class LeNet300100(nn.Module):
    """A fully connected network, 784-300-100-10 with ReLU: 266,610 parameters, 266,200 of them weights."""

    def __init__(self, num_classes, in_features, dropout, rng):
        rng = nn.init.generator(rng)
        self.fc1 = nn.Linear(in_features, 300, rng=rng)
        self.fc2 = nn.Linear(300, 100, rng=rng)
        self.fc3 = nn.Linear(100, num_classes, rng=rng)
        self.relu, self.relu2, self.flatten = nn.ReLU(), nn.ReLU(), nn.Flatten()
        self.dropout1, self.dropout2 = nn.Dropout(dropout, rng=rng), nn.Dropout(dropout, rng=rng)

    def forward(self, x):
        x = self.flatten(x)
        x = self.dropout1(self.relu(self.fc1(x)))
        x = self.dropout2(self.relu2(self.fc2(x)))
        return self.fc3(x)


class LeNet5(nn.Module):
    """Caffe's LeNet-5: conv 20 5x5, max-pool, conv 50 5x5, max-pool, 500, 10; no padding, ReLU after the 500 only.

    431,080 parameters, 430,500 of them weights; for 28 x 28 images.
    """

    def __init__(self, num_classes, in_channels, dropout, rng):
        rng = nn.init.generator(rng)
        self.conv1 = nn.Conv2d(in_channels, 20, 5, rng=rng)
        self.conv2 = nn.Conv2d(20, 50, 5, rng=rng)
        self.fc1 = nn.Linear(50 * 4 * 4, 500, rng=rng)
        self.fc2 = nn.Linear(500, num_classes, rng=rng)
        self.pool, self.relu, self.flatten = nn.MaxPool2d(2), nn.ReLU(), nn.Flatten()
        self.dropout = nn.Dropout(dropout, rng=rng)

    def forward(self, x):
        x = self.pool(self.conv1(x))
        x = self.pool(self.conv2(x))
        x = self.dropout(self.relu(self.fc1(self.flatten(x))))
        return self.fc2(x)


class TwnLeNet5(nn.Module):
    """conv 32 5x5, max-pool, conv 64 5x5, max-pool, 512, 10; no padding; batch norm and ReLU after all but the last.

    583,242 parameters, 581,408 of them weights; for 28 x 28 images.
    """

    def __init__(self, num_classes, in_channels, rng):
        rng = nn.init.generator(rng)
        self.conv1 = nn.Conv2d(in_channels, 32, 5, rng=rng)
        self.conv2 = nn.Conv2d(32, 64, 5, rng=rng)
        self.fc1 = nn.Linear(64 * 4 * 4, 512, rng=rng)
        self.fc2 = nn.Linear(512, num_classes, rng=rng)
        self.bn1, self.bn2, self.bn3 = nn.BatchNorm2d(32), nn.BatchNorm2d(64), nn.BatchNorm1d(512)
        self.relu1, self.relu2, self.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
        self.pool, self.pool2, self.flatten = nn.MaxPool2d(2), nn.MaxPool2d(2), nn.Flatten()

    def forward(self, x):
        x = self.pool(self.relu1(self.bn1(self.conv1(x))))
        x = self.pool2(self.relu2(self.bn2(self.conv2(x))))
        x = self.relu3(self.bn3(self.fc1(self.flatten(x))))
        return self.fc2(x)


@architecture
def lenet_300_100(num_classes: int = 10, in_channels: int = 1, dropout: float = 0.0, rng: Rng = None) -> nn.Module:
    """LeNet-300-100 for in_channels x 28 x 28 images. dropout: drop probability after both hidden layers."""
    num_classes, in_channels = options.counts("lenet_300_100", num_classes=num_classes, in_channels=in_channels)
    options.probability("lenet_300_100: dropout", dropout)
    return LeNet300100(num_classes, in_channels * 28 * 28, dropout, rng)


@architecture
def lenet5(num_classes: int = 10, in_channels: int = 1, dropout: float = 0.0, rng: Rng = None) -> nn.Module:
    """LeNet-5 (Caffe) for in_channels x 28 x 28 images. dropout: drop probability after the 500 hidden units."""
    num_classes, in_channels = options.counts("lenet5", num_classes=num_classes, in_channels=in_channels)
    options.probability("lenet5: dropout", dropout)
    return LeNet5(num_classes, in_channels, dropout, rng)


@architecture
def twn_lenet5(num_classes: int = 10, in_channels: int = 1, rng: Rng = None) -> nn.Module:
    """The LeNet-5 of ternary weight networks, for in_channels x 28 x 28 images; the paper's loss is an SVM's."""
    num_classes, in_channels = options.counts("twn_lenet5", num_classes=num_classes, in_channels=in_channels)
    return TwnLeNet5(num_classes, in_channels, rng)
