"""A network as data: what a model file says of it, and how it is built again without running any code of the file's.

A network is described by the function, class or layers that build it and their arguments:

    {"type": "lenet_300_100", "args": {"num_classes": 10}}
    {"type": "Sequential", "items": [{"type": "Linear", "args": {...}}, ...]}

Three entries say what has changed since it was built, and are applied in this order: "modules" {path: description}
lists what `replace` has put in the place of other modules, "shapes" {array: shape} the arrays that surgery has made
smaller, "dropout" {module: p} the rates that an experiment has set. Whatever else is changed has no description, and
`lightnn.save` refuses it (see `unchanged`).

A description may come from a hostile file. It is bounded before it is read (`parse`), and `build` makes shapes only, of
no more arrays than the file can fill (see `lightnn.nn.sketch`).
"""

import json
import math

import numpy as np

from lightnn import nn, options
from lightnn.models.places import put
from lightnn.models.registry import ARCHITECTURES, LAYERS, signature
from lightnn.nn.sketch import shapes_only

__all__ = ["build", "describe", "parse", "to_text"]

MAX_TEXT = 2**18  # bytes of a description: a network of 10,000 layers
MAX_DEPTH = 100  # Sequentials within Sequentials
MAX_PARTS = 30  # of the path of a module that is replaced
MAX_SIZE = 2**22  # the sum of all numbers in a description: no real network comes near
MAX_ARRAYS = 10_000
SPARE = 4  # a layer and its batch norm are built as 6 + 2 arrays, of which 2 are left if it was folded
HOW = "put @lightnn.models.architecture above the class, or above a function that builds the network"


def to_text(description: dict) -> bytes:
    """The description as JSON. TypeError if it is too long, or holds what JSON does not have."""
    text = json.dumps(description, separators=(",", ":")).encode()
    if len(text) > MAX_TEXT:
        raise TypeError(f"the description of this network has {len(text)} bytes, more than the {MAX_TEXT} allowed")
    return text


def parse(text: bytes) -> object:
    """The description from its JSON, which may be anything. ValueError if it is none, or too long or too deep."""
    if len(text) > MAX_TEXT:
        raise ValueError(f"want a description of at most {MAX_TEXT} bytes, got {len(text)}")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("the description is nested too deep") from None


def describe(model: nn.Module) -> dict:
    """The description (JSON types only) from which `build` makes a network of this shape. TypeError if it has none."""
    try:
        description, changes = describe_part(model)
        description |= changes
        rates = _dropout_rates(model, description)
    except (ValueError, RecursionError) as error:
        raise TypeError(f"describe: the description of this {type(model).__name__} can't be built: {error}") from None
    return description | ({"dropout": rates} if rates else {})


def describe_part(model: nn.Module, path: str = "") -> tuple[dict, dict]:
    """(the description of a part of a network that stands at this path, without what has changed since it was built;
    {"modules": ..., "shapes": ...}, what has changed, by full names). TypeError if it has none."""
    changes = {"modules": {}, "shapes": {}}
    description = _describe(model, f"{path}." if path else "", changes)
    return description, {key: change for key, change in changes.items() if change}


def _describe(model, path, changes):
    """The description without what has changed since; that is added to `changes`, by its full names."""
    if hasattr(model, "architecture"):
        made = model.architecture
        for key, change in changes.items():
            change |= {path + name: _plain(value) for name, value in made.get(key, {}).items()}
        return {key: _plain(made[key]) for key in ("type", "args", "items") if key in made}
    name = type(model).__name__
    if LAYERS.get(name) is not type(model):
        known = ", ".join([*LAYERS, *ARCHITECTURES])
        raise TypeError(
            f"describe: {name} is neither built by lightnn.models nor a layer of lightnn.nn ({known}). "
            f"To save a class of your own, {HOW}"
        )
    if isinstance(model, nn.Sequential):
        return {"type": name, "items": [_describe(m, f"{path}{i}.", changes) for i, m in enumerate(model)]}
    if isinstance(model, nn.Shift2d) and model.offsets is not None:  # surgery has fixed them
        changes["shapes"][path + "offsets"] = list(np.shape(model.offsets))
    return {"type": name, "args": {n: _argument(model, n) for n in signature(type(model)).parameters if n != "rng"}}


def _argument(layer, name):
    """A constructor's argument from the attribute of its name: a bias Parameter stands for bias=True."""
    value = getattr(layer, name)
    return value is not None if value is None or isinstance(value, nn.Parameter) else _plain(value)


def _plain(value):
    """A copy of JSON types: Python's numbers for NumPy's, lists for tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _dropout_rates(model, description):
    """{path: p} of each Dropout whose rate is not the one that it was built with."""
    rates = {path: _plain(m.p) for path, m in model.named_modules() if type(m) is nn.Dropout}
    twin = dict(build(description).named_modules()) if rates else {}
    return {path: p for path, p in rates.items() if p != getattr(twin.get(path), "p", p)}


def build(description: object, arrays: int | None = None) -> nn.Module:
    """The Module that `describe` described; its weights are read-only, take no memory, and are there to be replaced.

    arrays: how many arrays there are to fill it with. A network of far more of them is not built to its end.
    ValueError if the description is not one that `describe` makes.
    """
    most = MAX_ARRAYS if arrays is None else min(MAX_ARRAYS, 100 + SPARE * options.times("build: arrays", arrays))
    if _total(description) > MAX_SIZE:
        raise ValueError("the network it describes is too large to be real")
    with shapes_only(most):
        model = _build(description)
        changes = {key: _of(dict, description[key]) for key in ("modules", "shapes", "dropout") if key in description}
        for path, part in changes.get("modules", {}).items():
            if path.count(".") >= MAX_PARTS:
                raise ValueError(f"want a path of at most {MAX_PARTS} names, got {path[:40]!r}")
            put(model, path, _build(part))
    if "shapes" in changes:
        _shrink(model, changes["shapes"])
    if "dropout" in changes:
        _set_rates(model, changes["dropout"])
    if changes:
        model.architecture = description
    for m in model.modules():
        if hasattr(m, "rng"):
            m.rng = np.random.default_rng(0)
    return model


def _build(description):
    kind = description.get("type") if isinstance(description, dict) else None
    make = (LAYERS.get(kind) or ARCHITECTURES.get(kind)) if isinstance(kind, str) else None
    if make is None:
        raise ValueError(f"unknown layer or architecture {str(kind)[:40]!r}. If it is your own, first {HOW}")
    if kind == "Sequential":
        return nn.Sequential(*[_build(d) for d in _of(list, description.get("items"))])
    args = _of(dict, description.get("args"))
    _check_arguments(kind, make, args)
    try:
        return make(**args)
    except (TypeError, ArithmeticError, AttributeError, LookupError, MemoryError) as error:
        raise ValueError(f"{kind} does not take these arguments: {error}") from None


def _check_arguments(kind, make, args):
    parameters = signature(make).parameters
    if unknown := [name for name in args if name not in parameters or name == "rng"]:
        raise ValueError(f"{kind} does not take these arguments: it has no {unknown[0][:40]!r}")
    for name, value in args.items():
        if isinstance(value, str) and isinstance(parameters[name].default, str) and len(value) <= 100:
            continue
        numbers = value if isinstance(value, list) else [value]
        if len(numbers) > 8 or not all(isinstance(v, int | float | None) for v in numbers):
            raise ValueError(f"{kind}: want {name} to be a number or a short list of numbers, got {str(value)[:40]!r}")


def _shrink(model, shapes):
    """Give the named arrays their smaller shapes, and their modules the sizes that follow from them."""
    owners = dict(model.named_modules())
    for name, shape in shapes.items():
        path, _, attribute = name.rpartition(".")
        owner = owners.get(path)
        array = getattr(owner, attribute, None)
        sizes = shape if isinstance(shape, list) and all(type(n) is int and n >= 1 for n in shape) else []
        if isinstance(owner, nn.Shift2d) and attribute == "offsets" and len(sizes) == 2 and sizes[0] == 2:
            owner.offsets = np.broadcast_to(np.int64(0), sizes)
            continue
        is_array = isinstance(array, nn.Parameter) or attribute in getattr(owner, "buffers", ())
        if not is_array or len(sizes) != array.ndim or any(n > most for n, most in zip(sizes, array.shape)):
            has = f"{array.shape}" if is_array else "no such array"
            raise ValueError(f"want the shape of {name[:40]!r} to be within that of {has}, got {str(shape)[:40]}")
        if isinstance(array, nn.Parameter):
            array.data = np.broadcast_to(array.data.dtype.type(0), sizes)
        else:
            setattr(owner, attribute, np.broadcast_to(array.dtype.type(0), sizes))
    for module in model.modules():
        module.fit_sizes()


def _set_rates(model, rates):
    """Give the named Dropouts their rates."""
    owners = dict(model.named_modules())
    for name, p in rates.items():
        if type(owners.get(name)) is not nn.Dropout or type(p) not in (int, float) or not 0 <= p <= 1:
            raise ValueError(f"want a rate 0 <= p <= 1 of a Dropout, got {str(p)[:40]} for {name[:40]!r}")
        owners[name].p = p


def _of(kind, value):
    if not isinstance(value, kind):
        raise ValueError(f"want a {kind.__name__} in the description, got {type(value).__name__}")
    return value


def _total(description):
    """The sum of all numbers in a description. ValueError if it is nested too deep."""
    total, level, depth = 0, [description], 0
    while level:
        if depth > 2 * MAX_DEPTH + 4:  # a Sequential takes two levels, its dict and its list
            raise ValueError(f"the description is nested deeper than {MAX_DEPTH} Sequentials")
        inner = []
        for value in level:
            if isinstance(value, dict | list):
                inner += value.values() if isinstance(value, dict) else value
            elif isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
                total += abs(value)
        level, depth = inner, depth + 1
    return total
