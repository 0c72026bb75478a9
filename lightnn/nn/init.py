"""Initial values of weights, drawn from an explicit generator."""

import math

import numpy as np

from lightnn import options
from lightnn.nn import sketch


def kaiming_uniform(shape, fan_in, rng, a=5**0.5):
    """U(-r, r) with r = sqrt(6 / ((1 + a^2) fan_in)), float32 (He et al. 2015, arXiv 1502.01852, equation 14, for a
    leaky ReLU of slope a). The default a = sqrt(5) gives r = 1 / sqrt(fan_in), PyTorch's default for its layers."""
    return uniform(shape, math.sqrt(6 / ((1 + a * a) * fan_in)), rng)


def uniform(shape, bound, rng):
    """U(-bound, bound), float32."""
    sketched = sketch.array_of(shape, 0)
    if sketched is not None:
        return sketched
    return rng.random(shape, dtype=np.float32) * np.float32(2 * bound) - np.float32(bound)


def constant(shape, value):
    """The value everywhere, float32."""
    sketched = sketch.array_of(shape, value)
    return np.full(shape, value, np.float32) if sketched is None else sketched


def generator(rng):
    """The Generator itself, or a new one from a seed. None means seed 0, so every network is reproducible."""
    return options.generator("rng", rng, default=0)
