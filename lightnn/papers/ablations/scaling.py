"""Compound scaling (Tan & Le 2019, arXiv 1905.11946) of a very small network: what to spend more MACs on.

    depth d = alpha^phi,  width w = beta^phi,  resolution r = gamma^phi       (equation 3; 1.2, 1.1, 1.15)
    alone:  d = 2^phi,    or w = 2^(phi/2),    or r = 2^(phi/2)               (section 3.2: MACs grow by d w^2 r^2)

The network has inverted residuals in three stages. The base reads Fashion-MNIST at 10 x 10, so that 8 times the MACs by
resolution alone is the 28 x 28 of the data set. Blocks are rounded up and widths to multiples of 4, so MACs differ from
2^phi; they are counted.

`measure` returns what chapters/results/scaling.json holds, besides "images", "epochs", "seeds" and "seconds":

    "alpha", "beta", "gamma", "base size"
    "networks": a list of {"way": "base", "depth", "width", "resolution" or "compound"; "phi": 0 for the base, else 1 to
    3; "depth", "width", "resolution": the factors; "size": pixels of a side; "parameters"; "macs", of one image;
    "accuracy %": a list, the test accuracy for each of "seeds"}
"""

from functools import partial

import numpy as np

from lightnn import nn
from lightnn.models.blocks import conv_norm, round_filters
from lightnn.models.efficient import round_repeats
from lightnn.models.mobilenet2 import InvertedResidual

ALPHA, BETA, GAMMA, BASE_SIZE = 1.2, 1.1, 1.15, 10
STAGES = [(16, 1), (24, 2), (40, 2)]  # channels, stride of the first block
BLOCKS, EXPANSION = 2, 3
WAYS = {  # way: (d, w, r) for phi
    "depth": lambda phi: (2**phi, 1, 1),
    "width": lambda phi: (1, 2 ** (phi / 2), 1),
    "resolution": lambda phi: (1, 1, 2 ** (phi / 2)),
    "compound": lambda phi: (ALPHA**phi, BETA**phi, GAMMA**phi),
}


def network(depth: float, width: float, *, rng) -> nn.Module:
    """The base times these factors."""
    rng, layers = nn.init.generator(rng), []
    c = round_filters(16, width, 4)
    layers.append(conv_norm(1, c, 3, rng=rng))
    for channels, stride in STAGES:
        c_out = round_filters(channels, width, 4)
        for i in range(round_repeats(BLOCKS, depth)):
            layers.append(InvertedResidual(c, c_out, 1 if i else stride, EXPANSION, rng))
            c = c_out
    head = 4 * c
    layers += [conv_norm(c, head, 1, rng=rng), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(head, 10, rng=rng))


def shrink(x: np.ndarray, size: int) -> np.ndarray:
    """Images (N, C, H, H) as (N, C, size, size), size <= H: each pixel the mean of the area that it covers."""
    H = x.shape[-1]
    edges = np.linspace(0, H, size + 1)
    low, high = edges[:-1, None], edges[1:, None]
    cover = np.clip(np.minimum(high, np.arange(1, H + 1)) - np.maximum(low, np.arange(H)), 0, None)
    A = (cover * size / H).astype(x.dtype)
    return np.ascontiguousarray(A @ x @ A.T)


def measure(trainer, phis: tuple[int, ...], seeds: list[int]) -> dict:
    """See above."""
    factors = [("base", 0, (1, 1, 1))]
    factors += [(way, phi, scale(phi)) for phi in phis if phi for way, scale in WAYS.items()]
    networks = []
    for way, phi, (d, w, r) in factors:
        size = min(28, round(BASE_SIZE * r))
        variants = {f"{way} {phi}": partial(network, d, w)}
        (numbers,) = trainer.all("scaling", variants, seeds, partial(shrink, size=size)).values()
        plan = {"way": way, "phi": phi, "depth": d, "width": w, "resolution": r, "size": size}
        networks.append({**plan, **numbers})
    return {"alpha": ALPHA, "beta": BETA, "gamma": GAMMA, "base size": BASE_SIZE, "networks": networks}
