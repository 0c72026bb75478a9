"""Depth with and without shortcuts (He et al. 2016, arXiv 1512.03385, section 4.2), and the gradients of each layer.

cifar_resnet of 8 channels beside the same layers without shortcuts, at several depths. The gradient norms are those of
untrained networks of the largest depth, with batch norm and without it (then with He's weights), on one batch.
"""

from functools import partial

import numpy as np

from lightnn import functional as F
from lightnn import models, nn
from lightnn.models.resnet import BasicBlock
from lightnn.tensor import Tensor

DEPTHS, WIDTH = (8, 20, 44), 8


class PlainBlock(BasicBlock):
    """BasicBlock without its shortcut: relu(F(x)) for relu(F(x) + x)."""

    def forward(self, x):
        return self.relu2(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))


def network(residual: bool, depth: int, *, rng) -> nn.Module:
    """For 28 x 28 images, which it reads at half their size. Both kinds have the same layers and initial weights."""
    net = models.cifar_resnet(depth, WIDTH, in_channels=1, rng=rng)
    if not residual:
        for block in blocks(net):
            block.__class__ = PlainBlock
    return nn.Sequential(nn.AvgPool2d(2), net)


def blocks(net: nn.Module) -> list[BasicBlock]:
    return [m for m in net.modules() if isinstance(m, BasicBlock)]


def without_norm(model: nn.Module, rng) -> nn.Module:
    """The model with He's weights (arXiv 1502.01852, equation 10) and without its batch norms."""
    rng = nn.init.generator(rng)
    for block in [*blocks(model), model[1]]:
        for name in ("bn1", "bn2"):
            if hasattr(block, name):
                setattr(block, name, nn.Identity())
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            m.weight.data = nn.init.kaiming_uniform(m.weight.shape, m.weight[0].size, rng, a=0)
    return model


def gradient_norms(model: nn.Module, x: np.ndarray, y: np.ndarray) -> list[float]:
    """||dL/dW||_2 of each 3x3 convolution, from the input to the output."""
    F.cross_entropy(model.train()(Tensor(x)), y).backward()
    return [float(np.linalg.norm(m.weight.grad)) for m in model.modules() if isinstance(m, nn.Conv2d)]


def measure(trainer, depths: tuple[int, ...], seeds: list[int]) -> dict:
    """{"plain": {depth: {"parameters", "macs", "accuracy %"}}, "residual": ..., "gradient norms": {"depth", kind:
    [one a layer]}}, the kinds "plain", "residual", "plain, no batch norm", "residual, no batch norm"."""
    found = {}
    for name in ("plain", "residual"):
        variants = {str(d): partial(network, name == "residual", d) for d in depths}
        found[name] = trainer.all(name, variants, seeds)
    x, y = (a[:100] for a in trainer.train)
    journal = trainer.session.journal
    found["gradient norms"] = journal.step("gradient norms", lambda: _norms(max(depths), x, y, seeds[0]))
    return found


def _norms(depth, x, y, seed):
    found = {"depth": depth}
    for name in ("plain", "residual"):
        model = partial(network, name == "residual", depth)
        found[name] = gradient_norms(model(rng=seed), x, y)
        found[f"{name}, no batch norm"] = gradient_norms(without_norm(model(rng=seed), seed), x, y)
    return found
