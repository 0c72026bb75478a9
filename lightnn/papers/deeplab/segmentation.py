"""Three ways for a segmentation to see far, with the same weights: dilation, pooling, neither.

A small DeepLab (Chen et al. 2017, arXiv 1706.05587): a stem with stride 2, five residual blocks of one 3x3 each, atrous
spatial pyramid pooling, interpolation. With dilation the blocks have 1, 2, 4, 8, 1; with pooling, the map is halved
twice instead; without both a pixel sees less than a thing is large.
"""

import numpy as np
from tqdm.auto import tqdm

from lightnn import data, nn, optim
from lightnn import functional as F
from lightnn.models.blocks import conv_norm
from lightnn.models.segmentation import ASPP
from lightnn.tensor import Tensor, no_grad

CLASSES, SIZE, WIDTH, BATCH, LR = 11, 64, 16, 10, 0.01
WAYS = {  # way: (dilations of the blocks, blocks before which the map is halved, rates of the pyramid)
    "dilation": ((1, 2, 4, 8, 1), (), (2, 4, 6)),
    "pooling": ((1, 1, 1, 1, 1), (1, 2), (1, 1, 1)),
    "neither": ((1, 1, 1, 1, 1), (), (1, 1, 1)),
}


class Block(nn.Module):
    """relu(bn(conv(x)) + x), a 3x3 of some dilation."""

    def __init__(self, c, dilation, rng):
        self.conv = nn.Conv2d(c, c, 3, 1, dilation, dilation, bias=False, rng=rng)
        self.bn, self.relu = nn.BatchNorm2d(c), nn.ReLU()

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)) + x)


class SmallDeepLab(nn.Module):
    """Logits (N, classes, H, W) of images (N, 1, H, W)."""

    def __init__(self, dilations, halved, rates, rng, width=WIDTH):
        rng = nn.init.generator(rng)
        blocks = [conv_norm(1, width, 3, 2, rng=rng)]
        for i, dilation in enumerate(dilations):
            blocks += [nn.MaxPool2d(2)] * (i in halved) + [Block(width, dilation, rng)]
        self.backbone, self.aspp = nn.Sequential(*blocks), ASPP(width, width, rates, rng)
        self.aspp.project[-1].p = 0.1  # half of so few channels is too much
        self.head = nn.Conv2d(width, CLASSES, 1, rng=rng)

    def forward(self, x):
        return F.resize_bilinear(self.head(self.aspp(self.backbone(x))), size=x.shape[2:])


def network(way: str, *, rng) -> nn.Module:
    return SmallDeepLab(*WAYS[way], rng)


def pixel_loss(outputs: Tensor, labels: np.ndarray) -> Tensor:
    """Cross-entropy, the mean over all pixels."""
    k = outputs.shape[1]
    return F.cross_entropy(outputs.transpose(0, 2, 3, 1).reshape(-1, k), labels.ravel())


def train(model: nn.Module, scenes: data.Scenes, epochs: int, rng: np.random.Generator, progress: bool = False) -> None:
    """In place, with Adam and a rate that falls along a cosine."""
    optimizer = optim.Adam(model.parameters(), lr=LR)
    schedule = optim.CosineLR(optimizer, epochs)
    for _ in tqdm(range(epochs), desc="epochs", disable=not progress):
        model.train()
        order = rng.permutation(len(scenes.images))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            loss = pixel_loss(model(Tensor(scenes.images[batch])), scenes.labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    model.eval()


@no_grad()
def segment(model: nn.Module, images: np.ndarray) -> np.ndarray:
    """The class of every pixel, (N, H, W)."""
    model.eval()
    parts = [model(Tensor(images[i : i + BATCH])).data.argmax(1) for i in range(0, len(images), BATCH)]
    return np.concatenate(parts)
