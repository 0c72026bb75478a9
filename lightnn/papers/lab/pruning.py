"""Pruning of several layers at once, as the papers' tables give it."""

from collections.abc import Mapping

from lightnn import nn
from lightnn.compress import prune_to_fraction


def prune_to(model: nn.Module, keeps: Mapping[str, float]) -> None:
    """Prune the model's layers by magnitude. keeps: {layer: the fraction of its weights that it keeps}."""
    for name, keep in keeps.items():
        prune_to_fraction(getattr(model, name).weight, keep)
