"""XNOR-Net (Rastegari, Ordonez, Redmon & Farhadi 2016, "XNOR-Net: ImageNet Classification Using Binary Convolutional
Neural Networks", arXiv 1603.05279) on MNIST, with the LeNet-5 of ternary weight networks.

    w = alpha sign(W),    alpha = E|W| of each filter        (binary weight network)
    I * W = (sign(I) * sign(W)) K alpha,    K = A * k        (XNOR-Net)

Blocks are batch norm, sign, layer, pooling, and the first and the last layer stay floats, as in the paper; ours have
the network of floats, with ReLU, to begin with. Beside them stand Bi-Real's gradient for the sign (Liu et al. 2018,
arXiv 1808.00278), and several bases a weight (Lin, Zhao & Pan 2017, arXiv 1711.11294). The paper trains AlexNet and
ResNet-18 on ImageNet."""

import functools
from collections.abc import Callable

from lightnn import models, nn, optim
from lightnn.compress import use_binary_bases, use_binary_filters
from lightnn.papers.lab import low_bits, stage
from lightnn.papers.lab.low_bits import Subject, Way, low_inputs, low_weights
from lightnn.training import reestimate_batch_norm

READ = ("act1", "act2")  # what the inner layers read


def floats(rng=None, make: Callable[..., nn.Module] = models.xnor_lenet5) -> nn.Module:
    """The network with ReLU in the place of signs: what all ways begin with."""
    return low_inputs(make(rng=rng), nn.ReLU, READ)


FULL = Subject(
    reference_epochs=4,
    epochs=2,
    images=30_000,
    lr=0.001,
    optimizer=optim.Adam,
    make=floats,
    network="xnor_lenet5 with ReLU on MNIST",
)


def bwn(model, x, use=use_binary_filters):
    """Binary weights in the inner layers."""
    return low_weights(model, use)


def bwn_again(model, x):
    """The same, with the statistics of its batch norms measured again."""
    return reestimate_batch_norm(bwn(model, x), x)


def xnor(model, x, use=use_binary_filters, sign=nn.Sign):
    """Binary weights, and signs before them."""
    return low_inputs(low_weights(model, use), sign, READ)


def scaled(model, x):
    """XNOR-Net with K: layers that take the signs and the scale of what they read."""
    twin = low_inputs(model, nn.Identity, READ)
    conv, fc = twin.conv2, twin.fc1
    new = {
        "conv2": nn.XnorConv2d(conv.in_channels, conv.out_channels, conv.kernel_size, bias=False),
        "fc1": nn.XnorLinear(fc.in_features, fc.out_features, bias=False),
    }
    weights = {path: dict(twin.named_modules())[path].weight.data for path in new}
    twin = models.replace(twin, new)
    for path, data in weights.items():
        dict(twin.named_modules())[path].weight.data = data
    return low_weights(twin, use_binary_filters)


def again(model: nn.Module, images: stage.Images) -> dict:
    """What measuring the batch norms' statistics again gives back."""
    twin = reestimate_batch_norm(model, images.training[0])
    error = {"validation": stage.error(twin, images.validation), "test": stage.error(twin, images.test)}
    return {f"{name} accuracy %, norms again": round(100 - value, 2) for name, value in error.items()}


three_bases = functools.partial(use_binary_bases, bits=3)
WAYS = {
    "BWN, not trained": Way("1", "32", bwn, trained=False),
    "BWN, norms again": Way("1", "32", bwn_again, trained=False),
    "BWN": Way("1", "32", bwn, measure=again),
    "XNOR": Way("1", "1", xnor, measure=again),
    "XNOR, K": Way("1", "1", scaled, measure=again),
    "XNOR, Bi-Real": Way("1", "1", functools.partial(xnor, sign=nn.ApproxSign), measure=again),
    "XNOR, 3 bases": Way("3", "1", functools.partial(xnor, use=three_bases), measure=again),
}

reproduce = low_bits.reproduction(FULL, WAYS)
