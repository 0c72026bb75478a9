"""Compound scaling (Tan & Le 2019, arXiv 1905.11946, section 3): depth, width and resolution grow together.

    d = alpha^phi,   w = beta^phi,   r = gamma^phi         alpha beta^2 gamma^2 ~ 2         (equation 3)

A network with d times as many layers has d times as many MACs; w times as many channels, on both sides of a layer,
make w^2, and r times as many pixels a side r^2. EfficientNet's alpha = 1.2, beta = 1.1, gamma = 1.15 come from a grid
search on B0 with phi = 1. `models/efficient.py` builds the networks.
"""

import math

from lightnn import options
from lightnn.exercise import exercise

__all__ = ["compound_scale", "macs_factor"]

FARTHEST = 100  # phi, and the largest base: 100^100 is still a float


@exercise("13.1")
def macs_factor(d: float, w: float, r: float) -> float:
    """How many times the MACs of a convolutional network grow, a float, if it gets d times as many layers, w times as
    many channels in each layer, and images of r times as many pixels a side:

        d w^2 r^2

    ValueError unless d, w and r are finite numbers > 0.
    """
    d, w, r = options.numbers_above_0("macs_factor", d=d, w=w, r=r)
    return float(d * w**2 * r**2)


@exercise("13.2")
def compound_scale(phi: float, alpha: float = 1.2, beta: float = 1.1, gamma: float = 1.15) -> tuple:
    """(d, w, r), three floats: how many times deeper, wider and finer the network with the coefficient phi is
    (equation 3):

        d = alpha^phi,   w = beta^phi,   r = gamma^phi

    phi: any finite number from -100 to 100; 0 gives (1.0, 1.0, 1.0), and a negative one a smaller network. ValueError
    unless it is, and alpha, beta and gamma are finite numbers from 1 to 100.
    """
    phi = options.number("compound_scale: phi", phi, at_least=-FARTHEST, at_most=FARTHEST)
    bases = {"alpha": alpha, "beta": beta, "gamma": gamma}
    where = "compound_scale"
    bases = [options.number(f"{where}: {key}", base, at_least=1, at_most=FARTHEST) for key, base in bases.items()]
    return tuple(math.pow(base, phi) for base in bases)
