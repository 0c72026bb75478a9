"""Architectures as data: what a model file says of the network, and how it is built again without running any code.

A network is described by the function or layers that build it and their arguments, such as
{"type": "lenet_300_100", "args": {"num_classes": 10}} or {"type": "Sequential", "items": [{"type": "Linear", ...}]}.
A network that surgery has thinned has "shapes" too, {array: its shape}, for those arrays that are smaller now.
Names are looked up in two fixed tables, layers and architectures, and nowhere else.
"""

import functools
import inspect
import math

import numpy as np

from lightnn import nn

LAYERS = {name: getattr(nn, name) for name in nn.__all__ if name not in ("Module", "ModuleList", "Parameter", "init")}
ARCHITECTURES = {}
MAX_SIZE = 2**22  # the sum of all numbers in a description: no real network comes near


def architecture(fn):
    """Register a function(**options, rng=None) -> Module, and let the Module remember how it was made."""

    @functools.wraps(fn)
    def build(*args, rng=None, **options):
        bound = inspect.signature(fn).bind(*args, **options, rng=rng)
        bound.apply_defaults()
        model = fn(*bound.args, **bound.kwargs)
        model.architecture = {"type": fn.__name__, "args": {k: v for k, v in bound.arguments.items() if k != "rng"}}
        return model

    ARCHITECTURES[fn.__name__] = build
    return build


def describe(model):
    """The description (JSON types only) from which `build` makes a network of this shape. TypeError if there is
    none."""
    if hasattr(model, "architecture"):
        return model.architecture
    name = type(model).__name__
    if LAYERS.get(name) is not type(model):
        known = ", ".join([*LAYERS, *ARCHITECTURES])
        raise TypeError(f"describe: {name} is neither built by lightnn.models nor a layer of lightnn.nn ({known})")
    if isinstance(model, nn.Sequential):
        return {"type": name, "items": [describe(m) for m in model]}
    names = [n for n in inspect.signature(type(model)).parameters if n != "rng"]
    return {"type": name, "args": {n: _plain(getattr(model, n)) for n in names}}


def _plain(value):
    """A constructor's argument from the attribute of its name: a bias Parameter stands for bias=True."""
    if value is None or isinstance(value, nn.Parameter):
        return value is not None
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value


def build(description):
    """The Module that `describe` described; its weights are read-only zeros that take no memory, to be replaced.

    ValueError if the description is not one that `describe` makes."""
    if _total(description) > MAX_SIZE:
        raise ValueError("the network it describes is too large to be real")
    model = _build(description)
    if "shapes" in description:
        _shrink(model, _of(dict, description["shapes"]))
        model.architecture = description
    for m in model.modules():
        if hasattr(m, "rng"):
            m.rng = np.random.default_rng(0)
    return model


def _build(description):
    kind = description.get("type") if isinstance(description, dict) else None
    if not isinstance(kind, str) or kind not in LAYERS | ARCHITECTURES:
        raise ValueError(f"unknown layer or architecture {str(kind)[:40]!r}")
    if kind == "Sequential":
        return nn.Sequential(*[_build(d) for d in _of(list, description.get("items"))])
    args = _of(dict, description.get("args"))
    for name, value in args.items():
        numbers = value if isinstance(value, list) else [value]
        if len(numbers) > 8 or not all(isinstance(v, int | float | None) for v in numbers):
            raise ValueError(f"{kind}: want {name} to be a number or a short list of numbers, got {value!r}")
    make = LAYERS.get(kind) or ARCHITECTURES[kind]
    takes_rng = "rng" in inspect.signature(make).parameters
    try:
        return make(**args, **({"rng": _Zeros()} if takes_rng else {}))
    except (TypeError, ArithmeticError, AttributeError, MemoryError) as error:
        raise ValueError(f"{kind} does not take these arguments: {error}") from None


def _shrink(model, shapes):
    """Give the named arrays their smaller shapes, and their modules the sizes that go with them."""
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


def _of(kind, value):
    if not isinstance(value, kind):
        raise ValueError(f"want a {kind.__name__} in the description, got {type(value).__name__}")
    return value


def _total(value):
    """The sum of all numbers in a description: a bound on what building it may allocate."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return sum(_total(v) for v in value)
    return abs(value) if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)) else 0


class _Zeros:
    """Stands for a Generator where weights are drawn only to be replaced: zeros of any shape in four bytes."""

    def random(self, shape, dtype=np.float32):
        return _Endless(np.broadcast_to(dtype(0), shape))


class _Endless:
    """An array of one repeated value that stays four bytes under the arithmetic of initialisation."""

    def __init__(self, array):
        self.array = array

    def _same(self, other):
        return self

    __mul__ = __rmul__ = __add__ = __radd__ = __sub__ = _same

    def __array__(self, dtype=None, copy=None):
        return self.array
