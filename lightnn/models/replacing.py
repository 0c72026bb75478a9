"""Surgery by replacement: other modules in the place of some.

    quantized = replace(model, {"relu": nn.Sequential(nn.ReLU(), nn.FakeQuantize(8))})

The new network's description says so, under "modules", so it can be saved and loaded. What it says of the rest of the
network stays.
"""

import copy
from collections.abc import Mapping

from lightnn import options
from lightnn.models.description import describe_part
from lightnn.models.places import put
from lightnn.nn import Module

__all__ = ["replace"]


def replace(model: Module, modules: Mapping[str, Module]) -> Module:
    """A new network in which the module at each path is another one. The model and the modules are left as they are.

    modules: {path, as `named_modules` gives it: a layer of lightnn.nn, or a network that can be saved}, done in this
    order. A module that stands in several places is replaced in this one only. ValueError for a path that no module
    has, TypeError for a module without a description.
    """
    if not isinstance(model, Module):
        raise TypeError(f"replace: want a Module, got {type(model).__name__}")
    twin, memo = copy.deepcopy(model), {}
    for path, module in options.named("replace: modules", modules).items():
        if not isinstance(module, Module):
            raise TypeError(f"replace: want a Module for {path}, got {type(module).__name__}")
        module = copy.deepcopy(module, memo)
        try:
            described, changes = describe_part(module)
            put(twin, path, module)
        except (ValueError, TypeError) as error:
            raise type(error)(f"replace: {path}: {error}") from None
        _note(twin, path, described, changes)
    return twin


def _note(model, path, described, changes):
    """Write down in the network's description that a module with this description stands at path.

    That of the outermost network that remembers how it was made counts: if there is none around the path, the model is
    described by its layers as they are now."""
    owner, name = model, path
    while not hasattr(owner, "architecture"):
        first, _, name = name.partition(".")
        owner = vars(owner).get(first)
        if not (isinstance(owner, Module) and name):
            return
    noted = dict(owner.architecture)
    for key, own in (("modules", {name: described}), ("shapes", {})):
        kept = {n: v for n, v in noted.pop(key, {}).items() if not f"{n}.".startswith(f"{name}.")}
        inside = {f"{name}.{n}": v for n, v in changes.get(key, {}).items()}
        if after := {**kept, **own, **inside}:
            noted[key] = after
    owner.architecture = noted
