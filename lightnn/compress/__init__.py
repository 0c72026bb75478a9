"""Techniques that make a network smaller: weight transforms, and the procedures that set them."""

from lightnn.compress.prune import adjust_dropout, density, prune, quality_for, sensitivity, set_mask, threshold
from lightnn.compress.share import density_init, kmeans, linear_init, nearest, random_init, share, sharing_rate
from lightnn.compress.transforms import SUPPORTS, VALUES, Codebook, Mask, decode, decode_parameter, encode

__all__ = [
    "SUPPORTS",
    "VALUES",
    "Codebook",
    "Mask",
    "adjust_dropout",
    "decode",
    "decode_parameter",
    "density",
    "density_init",
    "encode",
    "kmeans",
    "linear_init",
    "nearest",
    "prune",
    "quality_for",
    "random_init",
    "sensitivity",
    "set_mask",
    "share",
    "sharing_rate",
    "threshold",
]
