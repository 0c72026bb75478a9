"""Techniques that make a network smaller: weight transforms, and the procedures that set them."""

from lightnn.compress.activity import activation_density
from lightnn.compress.gradual import GradualPruning, gradual_sparsity
from lightnn.compress.prune import (
    adjust_dropout,
    density,
    prune,
    quality_for,
    random_mask,
    sensitivity,
    set_mask,
    threshold,
)
from lightnn.compress.share import density_init, kmeans, linear_init, nearest, random_init, share, sharing_rate
from lightnn.compress.transforms import SUPPORTS, VALUES, Codebook, Mask, decode, decode_parameter, encode

__all__ = [
    "SUPPORTS",
    "VALUES",
    "Codebook",
    "GradualPruning",
    "Mask",
    "activation_density",
    "adjust_dropout",
    "decode",
    "decode_parameter",
    "density",
    "density_init",
    "encode",
    "gradual_sparsity",
    "kmeans",
    "linear_init",
    "nearest",
    "prune",
    "quality_for",
    "random_init",
    "random_mask",
    "sensitivity",
    "set_mask",
    "share",
    "sharing_rate",
    "threshold",
]
