"""Tables 4 and 5 of Han et al. 2015 (arXiv 1506.02626): AlexNet and VGG-16 on ImageNet, which nobody trains here.

The percentages are the paper's. Weights and FLOP are exact, from the layers' shapes, so the paper's totals can be
counted again: its columns FLOP% by the rule of tables.py, its rates from the weights that are left.
"""

from typing import NamedTuple

import numpy as np

from lightnn.papers.han2015.tables import flop_fractions


class Row(NamedTuple):
    """A layer. weights: without biases. positions: how often each is used for an image. The rest, in %: the paper's."""

    weights: int
    positions: int
    active: int
    kept: int
    flop: int


ALEXNET = {  # table 4; conv2, conv4 and conv5 have two groups
    "conv1": Row(96 * 3 * 11**2, 55**2, 88, 84, 84),
    "conv2": Row(256 * 48 * 5**2, 27**2, 52, 38, 33),
    "conv3": Row(384 * 256 * 3**2, 13**2, 37, 35, 18),
    "conv4": Row(384 * 192 * 3**2, 13**2, 40, 37, 14),
    "conv5": Row(256 * 192 * 3**2, 13**2, 34, 37, 14),
    "fc1": Row(256 * 6**2 * 4096, 1, 36, 9, 3),
    "fc2": Row(4096 * 4096, 1, 40, 9, 3),
    "fc3": Row(4096 * 1000, 1, 100, 25, 10),
}
VGG16 = {  # table 5
    "conv1_1": Row(3 * 64 * 3**2, 224**2, 53, 58, 58),
    "conv1_2": Row(64 * 64 * 3**2, 224**2, 89, 22, 12),
    "conv2_1": Row(64 * 128 * 3**2, 112**2, 80, 34, 30),
    "conv2_2": Row(128 * 128 * 3**2, 112**2, 81, 36, 29),
    "conv3_1": Row(128 * 256 * 3**2, 56**2, 68, 53, 43),
    "conv3_2": Row(256 * 256 * 3**2, 56**2, 70, 24, 16),
    "conv3_3": Row(256 * 256 * 3**2, 56**2, 64, 42, 29),
    "conv4_1": Row(256 * 512 * 3**2, 28**2, 51, 32, 21),
    "conv4_2": Row(512 * 512 * 3**2, 28**2, 45, 27, 14),
    "conv4_3": Row(512 * 512 * 3**2, 28**2, 34, 34, 15),
    "conv5_1": Row(512 * 512 * 3**2, 14**2, 32, 35, 12),
    "conv5_2": Row(512 * 512 * 3**2, 14**2, 29, 29, 9),
    "conv5_3": Row(512 * 512 * 3**2, 14**2, 19, 36, 11),
    "fc6": Row(512 * 7**2 * 4096, 1, 38, 4, 1),
    "fc7": Row(4096 * 4096, 1, 42, 4, 2),
    "fc8": Row(4096 * 1000, 1, 100, 23, 9),
}
NETWORKS = {"AlexNet": ALEXNET, "VGG-16": VGG16}
TABLE_1 = {  # top-1 error % before and after, top-5 error % before and after, parameters before and after, rate
    "AlexNet": (42.78, 42.77, 19.73, 19.67, "61M", "6.7M", 9),
    "VGG-16": (31.50, 31.34, 11.32, 10.88, "138M", "10.3M", 13),
}
TOTALS = {"AlexNet": (11, 30), "VGG-16": (7.5, 21)}  # Weights%, FLOP%


class Count(NamedTuple):
    """Of some layers: weights and FLOP, and how many of each are left."""

    weights: int
    weights_left: float
    flop: int
    flop_left: float

    @property
    def rate(self) -> float:
        return self.weights / self.weights_left


def count(network: str, layers: str = "") -> Count:
    """The layers whose name starts with `layers` ("conv", "fc"; by default all)."""
    chosen = np.array([name.startswith(layers) for name in NETWORKS[network]])
    weights, flop, kept, fractions = (a[chosen] for a in _columns(network))
    return Count(int(weights.sum()), float(weights @ kept), int(flop.sum()), float(flop @ fractions))


def _columns(network):
    """Weights, FLOP, the fractions of each that are left: an array with an entry for each layer."""
    rows = NETWORKS[network].values()
    weights, positions, active, kept, _ = (np.array(column) for column in zip(*rows))
    flop = 2 * weights * positions
    return weights, flop, kept / 100, flop_fractions(flop, kept / 100, active / 100)[0]


def format_network(network: str) -> str:
    """The paper's table with the weights that are left; "rule" is FLOP% as Weights% times Act% of the layer before."""
    total, found = (
        count(network),
        [f"{network:<10}{'weights':>13}{'MFLOP':>10}  Act%  Weights%  FLOP%   rule{'left':>13}"],
    )
    for (name, row), weights, flop, kept, left in zip(NETWORKS[network].items(), *_columns(network)):
        percent = f"{row.active:>6}{row.kept:>10}{row.flop:>7}{100 * left:>7.1f}"
        found.append(f"{name:<10}{weights:>13,}{flop / 1e6:>10,.1f}{percent}{weights * kept:>13,.0f}")
    kept, flop = TOTALS[network]
    percent = f"{'':>6}{kept:>10}{flop:>7}{100 * total.flop_left / total.flop:>7.1f}"
    return "\n".join(
        [*found, f"{'total':<10}{total.weights:>13,}{total.flop / 1e6:>10,.1f}{percent}{total.weights_left:>13,.0f}"]
    )
