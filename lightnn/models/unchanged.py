"""Whether a network is still the one that its description builds.

A file holds a network's description and its arrays. Somebody may have replaced a ReLU, set another `eps` or given one
module another `forward`: the file would load as a network that computes something else, so `lightnn.save` refuses it.
Compared are, for each module, its type and all its attributes. Training's state is left out: whether it trains, its
generator, its counters, and the numbers in its arrays, which the file has.
"""

import functools
import types
from collections.abc import Callable

import numpy as np

from lightnn.models.description import build, describe, parse, to_text
from lightnn.models.registry import LAYERS
from lightnn.nn import Module, Parameter
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor

__all__ = ["check_reads_back", "description_of_unchanged"]

STATE = {"training", "rng", "architecture"}  # attributes that may differ
ABSENT = object()
WANTED = {"f": "floating-point numbers", "b": "truth values", "biuf": "numbers"}  # by NumPy's kinds


def description_of_unchanged(model: Module) -> dict:
    """The description of the model, which builds just this network. TypeError names the first module that differs."""
    try:
        description = parse(to_text(describe(model)))
        twin = build(description, arrays=sum(1 for _ in model._slots()))
        _Comparison(description["type"]).run(model, twin)
        _check_arrays(model)
    except (ValueError, RecursionError) as error:
        raise TypeError(f"save: the description of this network can't be loaded: {error}") from None
    return description


def check_reads_back(model: Module, read: Callable[[], Module]) -> None:
    """TypeError unless read() gives a network whose arrays are the model's in eval mode, bit for bit."""
    try:
        arrays = dict(_used(read()))
    except (ValueError, TypeError, RecursionError) as error:
        raise TypeError(f"save: load would refuse this network: {error}") from None
    with evaluating(model):  # in training, weights may be drawn
        used = list(_used(model))
    for name, array in used:
        if name not in arrays or _bits(arrays[name]) != _bits(array):
            raise TypeError(f"save: {name}, {array.dtype} of shape {array.shape}, would load as another array")


def _check_arrays(model):
    """TypeError unless each number is in a plain array, weights are floating-point, and masks are truth values."""
    for name, owner, attribute in model._slots():
        array = getattr(owner, attribute)
        wanted = "f" if isinstance(owner, Parameter) else "b" if attribute == "mask" else "biuf"
        if type(array) not in (np.ndarray, np.memmap) and not isinstance(array, np.generic):
            raise TypeError(f"save: want an array for {name}, got {type(array).__name__}")
        if array.dtype.kind not in wanted:
            raise TypeError(f"save: want {WANTED[wanted]} in {name}, got {array.dtype}")


def _used(model):
    """(name, array) of what the network computes with: its parameters' values and its modules' buffers. What a
    transform has inside is seen in the values."""
    inside = set()
    for name, node in model._walk():
        if id(node) in inside:
            continue
        if isinstance(node, Parameter):
            inside |= {id(part) for _, transform in node.members() for _, part in transform._walk()}
            yield name, node().data
        else:
            yield from ((f"{name}.{b}".lstrip("."), getattr(node, b)) for b in node.buffers)


def _bits(array):
    dtype = array.dtype.newbyteorder("=")
    return dtype, array.shape, np.ascontiguousarray(array, dtype).tobytes()


class _Comparison:
    """Of a network with its twin, the one that the description of this type builds."""

    def __init__(self, kind):
        self.kind, self.pairs = kind, set()  # ids of the modules that were compared
        self.first = {}  # {id of a module of the network: (its path, its counterpart)}

    def run(self, model, twin):
        pairs = [("", model, twin)]
        while pairs:
            path, here, there = pairs.pop()
            if not self._seen(path, here, there):
                pairs += reversed(list(self._modules(path, here, there)))

    def refuse(self, path, here, there):
        raise TypeError(
            f"save: {path or 'the network'} is {here} here, {there} in the {self.kind} that its description builds"
        )

    def _seen(self, path, here, there):
        """Whether the pair was compared before. Modules with weights must be one in both networks or in neither."""
        name, twin = self.first.setdefault(id(here), (path, there))
        if twin is not there and any(True for _ in here._slots()):
            self.refuse(path, f"the same module as {name or 'the network'}", "another one")
        seen = (id(here), id(there)) in self.pairs
        self.pairs.add((id(here), id(there)))
        return seen

    def _modules(self, path, here, there):
        """Compare two modules but for the modules in them; yield those, as (path, here, there)."""
        if type(here) is not type(there):
            self.refuse(path, *_type_names(here, there))
        for name in [n for n in {**vars(there), **vars(here)} if n not in (*STATE, *here.counters)]:
            a, b = (vars(m).get(name, getattr(type(m), name, ABSENT)) for m in (here, there))
            inner = f"{path}.{name}".lstrip(".")
            if name in there.buffers:
                self._arrays(inner, a, b)
            elif b is not ABSENT or _holds_parts(a):  # else it is somebody's note, which no method reads
                yield from self._values(inner, a, b, layer=type(here) in LAYERS.values())
        order = [[name for name, _ in m.members()] for m in (here, there)]
        if order[0] != order[1]:
            self.refuse(f"the order of the parts of {path or 'the network'}", *map(", ".join, order))

    def _arrays(self, path, here, there):
        if np.shape(here) != np.shape(there):
            self.refuse(path, _short(here), _short(there))

    def _values(self, path, here, there, layer=False, depth=0):
        """Compare two attributes; yield the modules in them."""
        if isinstance(here, Module | Parameter) and depth > 1:
            raise TypeError(
                f"save: {path} is inside a dict or a nested list, where it does not belong to the network: "
                "make it an attribute, or a member of a list or ModuleList"
            )
        if isinstance(here, Module) and isinstance(there, Module):
            yield path, here, there
        elif isinstance(here, Parameter) and isinstance(there, Parameter):
            if type(here) is not type(there):
                self.refuse(path, *_type_names(here, there))
            self._arrays(path, here, there)
        elif isinstance(here, list | tuple) and isinstance(there, list | tuple) and len(here) == len(there):
            for i, (a, b) in enumerate(zip(here, there)):
                yield from self._values(f"{path}.{i}", a, b, depth=depth + 1)
        elif isinstance(here, dict) and isinstance(there, dict) and list(here) == list(there):
            for key in here:
                yield from self._values(f"{path}[{key!r}]", here[key], there[key], depth=depth + 2)
        elif layer and isinstance(here, int) and isinstance(there, tuple):
            yield from self._values(path, (here,) * len(there), there)  # stride=2 says the same as (2, 2)
        elif not _same(here, there):
            self.refuse(path, _short(here), _short(there))


def _holds_parts(value):
    """Whether there is a Module or a Parameter in an attribute."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return isinstance(value, Module | Parameter) or any(map(_holds_parts, inner))


def _same(a, b):
    """Whether two attributes that are no modules say the same."""
    if a is b:
        return True
    if type(a) is type(b) and isinstance(a, np.ndarray | Tensor):
        a, b = np.asarray(a), np.asarray(b)
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, int | float | np.number) and isinstance(b, int | float | np.number):
        return bool(a == b or (a != a and b != b))
    if type(a) is not type(b) or isinstance(a, type):
        return False
    if (parts := [_parts(a), _parts(b)])[0] is not None:
        return list(parts[0]) == list(parts[1]) and all(_same(v, parts[1][k]) for k, v in parts[0].items())
    return (type(a).__eq__ is object.__eq__ and not callable(a)) or bool(a == b)


def _parts(value):
    """What a value consists of, as a dict: for a function its code and what it closes over. None for a simple value."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list | tuple):
        return dict(enumerate(value))
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        return {"code": value.__code__, "defaults": value.__defaults__, "options": value.__kwdefaults__, "cells": cells}
    if isinstance(value, types.MethodType):
        return {"function": value.__func__}
    if isinstance(value, functools.partial):
        return {"function": value.func, "args": value.args, "options": value.keywords}
    return vars(value) if hasattr(value, "__dict__") and type(value).__eq__ is object.__eq__ else None


def _type_names(here, there):
    """Names that tell the two types apart."""
    names = [type(x).__name__ for x in (here, there)]
    if names[0] == names[1]:
        names = [f"{type(x).__module__}.{type(x).__qualname__}" for x in (here, there)]
    return names if names[0] != names[1] else [f"of an earlier class {names[0]}", "of the present one"]


def _short(value):
    """A value as an error says it."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, Parameter | np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, Module | Tensor):
        return type(value).__name__
    text = getattr(value, "__qualname__", None) or repr(value)
    return text if len(text) <= 60 else text[:60] + " ..."
