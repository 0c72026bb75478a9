"""Pruning of several layers at once, as the papers' tables give it."""

from collections.abc import Mapping

from lightnn import nn
from lightnn.compress import prune_to_fraction
from lightnn.compress.finite import check_finite


def prune_to(model: nn.Module, keeps: Mapping[str, float]) -> None:
    """Prune the model's layers by magnitude. keeps: {layer: the fraction of its weights that it keeps}."""
    weights = {name: getattr(model, name).weight for name in keeps}
    for name, p in weights.items():  # all of them, before any is pruned
        check_finite(f"prune_to: {name}.weight", p().data)
    for name, p in weights.items():
        prune_to_fraction(p, keeps[name])
