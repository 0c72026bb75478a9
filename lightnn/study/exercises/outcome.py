"""What can be observed of a call, as a flat table of plain values, and where two such tables differ.

`observe` calls a function and lists its result, its gradients if it is differentiable, and what its arguments are
afterwards; or the exception. The table travels between processes as JSON, so it holds arrays, numbers, texts and None;
anything else is an `Opaque`, which equals nothing.
"""

import base64
import inspect
import traceback
from dataclasses import dataclass

import numpy as np

from lightnn.nn import Module, Parameter
from lightnn.tensor import Tensor

LARGEST = 50_000_000  # bytes of an array that is looked at
SMALL = 16  # elements: up to here the gradient is asked for with dy = 1, 2, 3, ...


@dataclass(frozen=True)
class Opaque:
    """Something that no exercise asks for, by its description."""

    text: str

    def __eq__(self, other):
        return False


def observe(fn, args, options, file=None) -> dict:
    """{what: plain value} of everything that can be observed of fn(*args, **options). May change the arguments.

    file: the solution's; an exception is told with the line of it."""
    names = parameter_names(fn, len(args))
    args = tuple(_leaf(a) for a in args)
    try:
        result = fn(*args, **options)
        seen = dict(flat("result", result))
        if isinstance(result, Tensor) and result.requires_grad:
            seen |= _gradients(result, names, args)
    except BaseException as error:
        return _raised(error, file)
    for name, a in [*zip(names, args), *options.items()]:
        if isinstance(a, np.ndarray | Tensor | Module | list | dict):
            seen |= {f"argument {what}, afterwards": value for what, value in flat(name, a)}
    return seen


def _raised(error, file):
    kinds = [t.__name__ for t in type(error).__mro__ if issubclass(t, BaseException) and t is not BaseException]
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(file)]
    if isinstance(error, MemoryError):
        return {"raises": kinds, "message": "it asks for more than 2 GB of memory", "line": lines[-1:]}
    return {"raises": kinds, "message": str(error)[:2000], "line": lines[-1:]}


def _leaf(a):
    """A Tensor that asks for its gradient; anything else unchanged."""
    if isinstance(a, Tensor) and not isinstance(a, Parameter) and a.data.dtype.kind == "f":
        return Tensor(a.data, requires_grad=True)
    return a


def _gradients(result, names, args):
    dy = np.arange(1.0, result.data.size + 1).reshape(result.shape)
    if dy.size > SMALL:
        dy = np.random.default_rng(5).standard_normal(result.shape)
    result.backward(dy.astype(result.data.dtype))
    asked = f"for dy = {plain(dy)}" if dy.size <= SMALL else "for a random dy"
    return {
        f"{what} {asked}": value
        for name, a in zip(names, args)
        if isinstance(a, Tensor)
        for what, value in flat(f"gradient of {name}", a.grad)
    }


def flat(name, value):
    """Yield (name, plain value) for everything inside a value; containers and objects also say their type."""
    if isinstance(value, Parameter):
        yield from [(f"type of {name}", "Parameter"), (f"{name}.data", value.data), (f"{name}()", value().data)]
        for part, transform in value.members():
            yield from flat(f"{name}.{part}", transform)
    elif type(value) is Tensor:
        yield from [(f"type of {name}", "Tensor"), (f"{name}.data", _plain(value.data))]
    elif isinstance(value, Module):
        yield f"type of {name}", type(value).__name__
        for key, array in value.state_dict().items():
            yield f"{name}.{key}", _plain(array)
        codes = getattr(value, "codes", None)
        if isinstance(codes, np.ndarray):
            yield f"{name}.codes", _plain(codes)
    elif type(value) in (tuple, list):
        yield f"type of {name}", f"{type(value).__name__} of {len(value)}"
        for i, v in enumerate(value):
            yield from flat(f"{name}[{i}]", v)
    elif type(value) is dict:
        yield f"type of {name}", f"dict with {', '.join(sorted(map(repr, value)))}"
        for k in sorted(value, key=repr):
            yield from flat(f"{name}[{k!r}]", value[k])
    else:
        yield name, _plain(value)


def _plain(value):
    """The value as an array, a number, a text or None, of NumPy's and Python's own types; else an Opaque."""
    if value is None or type(value) in (bool, int, float, str):
        return value if not isinstance(value, int) or abs(value) < 2**200 else Opaque("a huge integer")
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if type(value) is np.ndarray and value.dtype.kind in "biuf":
        if value.nbytes > LARGEST:
            return Opaque(f"an array of shape {value.shape}")
        return value.item() if value.ndim == 0 else value
    if isinstance(value, np.ndarray):
        return Opaque(f"an array of {value.dtype} numbers ({type(value).__name__})")
    return Opaque(f"a value of type {type(value).__name__}")


def pack(seen: dict) -> dict:
    """The table as what JSON can hold."""

    def one(value):
        if isinstance(value, np.ndarray):
            raw = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
            return {"array": raw, "dtype": value.dtype.str, "shape": value.shape}
        return {"opaque": value.text} if isinstance(value, Opaque) else value

    return {what: one(value) for what, value in seen.items()}


def unpack(packed: dict) -> dict:
    """The table that `pack` packed."""

    def one(value):
        if isinstance(value, dict) and "array" in value:
            data = np.frombuffer(base64.b64decode(value["array"]), np.dtype(value["dtype"]))
            return data.reshape(value["shape"])
        return Opaque(value["opaque"]) if isinstance(value, dict) else value

    return {what: one(value) for what, value in packed.items()}


def parameter_names(fn, count):
    """The names of the first `count` positional arguments of fn."""
    try:
        names = [p.name for p in inspect.signature(fn).parameters.values()]
    except (TypeError, ValueError):
        names = []
    return (names + [f"argument {i}" for i in range(len(names), count)])[:count]


def plain(value, width=64):
    """A value in one short line of plain numbers; for a larger array also its shape."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, threshold=40, edgeitems=3, separator=", ", max_line_width=10**6, precision=6)
        text = " ".join(text.split())
        short = text if len(text) <= width else text[: width - 1] + "…"
        return short if value.size <= SMALL and short == text else f"{short} (shape {value.shape})"
    if isinstance(value, float):
        return f"{value:.10g}"
    text = value.text if isinstance(value, Opaque) else repr(value)
    return text if len(text) <= width else text[: width - 1] + "…"
