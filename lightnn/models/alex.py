"""AlexNet (Krizhevsky et al. 2012; in the form of Krizhevsky 2014, arXiv 1404.5997): five convolutions, three fully
connected layers. It brought ReLU and dropout to ImageNet; 96 % of its weights are in the fully connected layers."""

from lightnn import nn
from lightnn.models.blocks import checked, scaled
from lightnn.models.registry import Rng, architecture

__all__ = ["alexnet"]


class AlexNet(nn.Module):
    """features, 6 x 6 means, classifier; torchvision's names. Images from 63 x 63 on."""

    def __init__(self, num_classes, in_channels, width_mult, rng):
        num_classes, in_channels, width_mult, rng = checked("alexnet", num_classes, in_channels, width_mult, rng)
        a, b, c, d, hidden = (scaled(n, width_mult) for n in (64, 192, 384, 256, 4096))
        self.features = nn.Sequential(
            *(nn.Conv2d(in_channels, a, 11, 4, 2, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(a, b, 5, 1, 2, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
            *(nn.Conv2d(b, c, 3, 1, 1, rng=rng), nn.ReLU()),
            *(nn.Conv2d(c, d, 3, 1, 1, rng=rng), nn.ReLU()),
            *(nn.Conv2d(d, d, 3, 1, 1, rng=rng), nn.ReLU(), nn.MaxPool2d(3, 2)),
        )
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(6), nn.Flatten()
        self.classifier = nn.Sequential(
            *(nn.Dropout(0.5, rng=rng), nn.Linear(d * 36, hidden, rng=rng), nn.ReLU()),
            *(nn.Dropout(0.5, rng=rng), nn.Linear(hidden, hidden, rng=rng), nn.ReLU()),
            nn.Linear(hidden, num_classes, rng=rng),
        )

    def forward(self, x):
        return self.classifier(self.flatten(self.avgpool(self.features(x))))


@architecture
def alexnet(num_classes: int = 1000, in_channels: int = 3, width_mult: float = 1.0, rng: Rng = None) -> nn.Module:
    """61,100,840 parameters, 714 million MACs on 224 x 224."""
    return AlexNet(num_classes, in_channels, width_mult, rng)
