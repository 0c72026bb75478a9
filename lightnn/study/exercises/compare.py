"""Two results side by side: everything that a call returned or changed, as a flat table, and where they first differ.

`outcome` runs a function on copies of its arguments and lists what can be observed: the result, the Parameters and
Modules among the arguments after the call, the gradients of a differentiable result, or the exception. `difference`
finds the first entry in which two outcomes disagree. So a report can say what was expected although no test says it.
"""

import copy
import inspect

import numpy as np

from lightnn.nn import Module, Parameter
from lightnn.tensor import Tensor

TOLERANCE = 1e-6


def clone(value):
    """A copy that has no memory in common with `value`; Tensors lose their tape."""
    if isinstance(value, Parameter | Module):
        return copy.deepcopy(value)
    if isinstance(value, Tensor):
        return Tensor(value.data.copy(), value.requires_grad)
    if isinstance(value, tuple | list):
        return type(value)(clone(v) for v in value)
    if isinstance(value, dict):
        return {k: clone(v) for k, v in value.items()}
    return value.copy() if isinstance(value, np.ndarray) else copy.deepcopy(value)


def outcome(fn, args, options, names):
    """{what: value} of everything that can be observed of fn(*args, **options); names: those of its arguments."""
    args, options = clone(args), clone(options)
    args = tuple(_leaf(a) for a in args)
    try:
        result = fn(*args, **options)
    except (Exception, SystemExit) as error:
        return {"raises": type(error).__name__}
    seen = dict(_flat("result", result))
    if isinstance(result, Tensor) and result.requires_grad:
        try:
            result.backward(np.random.default_rng(5).standard_normal(result.shape))
        except Exception as error:
            seen["gradient raises"] = f"{type(error).__name__}: {error}"
        for name, a in zip(names, args):
            if isinstance(a, Tensor):
                seen[f"gradient of {name}"] = a.grad
    for name, a in zip(names, args):
        if isinstance(a, Parameter | Module):
            seen |= dict(_flat(f"{name} afterwards", a))
    return seen


def _leaf(a):
    """A copy of a Tensor that asks for its gradient; anything else unchanged."""
    if isinstance(a, Tensor) and not isinstance(a, Parameter) and a.data.dtype.kind == "f":
        return Tensor(a.data, requires_grad=True)
    return a


def _flat(name, value):
    """Yield (name, plain value) for everything inside a value."""
    if isinstance(value, Parameter):
        yield f"{name}()", value().data
        for part, transform in value.members():
            yield from _flat(f"{name}.{part}", transform)
    elif isinstance(value, Tensor):
        yield name, value.data
    elif isinstance(value, Module):
        yield f"type of {name}", type(value).__name__
        for key, array in value.state_dict().items():
            yield f"{name}.{key}", array
        yield f"parts of {name}", repr(value)
    elif isinstance(value, tuple | list):
        yield f"type of {name}", f"{type(value).__name__} of {len(value)}"
        for i, v in enumerate(value):
            yield from _flat(f"{name}[{i}]", v)
    elif isinstance(value, dict):
        for k, v in value.items():
            yield from _flat(f"{name}[{k!r}]", v)
    else:
        yield name, value


def difference(want, got):
    """(what, expected, got, first index that differs or None), or None if the outcomes agree."""
    for what in [*want, *(w for w in got if w not in want)]:
        a, b = want.get(what, MISSING), got.get(what, MISSING)
        if a is MISSING and what == "raises":
            return "result", _first(want), f"raised {b}", None
        if b is MISSING and "raises" in got:
            return what, a, f"raised {got['raises']}", None
        if a is MISSING or b is MISSING:
            a, b = want.get(f"type of {what}", a), got.get(f"type of {what}", b)
        index = _disagree(a, b)
        if index is not None:
            return what, a, b, index if index != () else None
    return None


MISSING = type("Missing", (), {"__repr__": lambda self: "nothing"})()


def _first(entries):
    return next(iter(entries.values()), None)


def _disagree(a, b):
    """None if equal, () if they can only differ as a whole, else the first index that differs."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            both_numbers = all(np.ndim(v) == 0 and not isinstance(v, str | type(None)) for v in (a, b))
            return _disagree(np.float64(a), np.float64(b)) if both_numbers and a is not MISSING else ()
        if a.shape != b.shape or (a.dtype.kind == "f") != (b.dtype.kind == "f"):
            return ()
        same = _close(a, b)
        return None if same.all() else tuple(int(i) for i in np.argwhere(~same)[0])
    if all(isinstance(v, int | float | np.number | bool) for v in (a, b)):
        return None if _close(np.asarray(a), np.asarray(b)).all() else ()
    return None if type(a) is type(b) and a == b else ()


def _close(a, b):
    if a.dtype.kind != "f" and b.dtype.kind != "f":
        return a == b
    if a.dtype == b.dtype == np.float32 or np.float32 in (a.dtype, b.dtype):
        return np.isclose(a, b, rtol=1e-4, atol=1e-5, equal_nan=True)
    return np.isclose(a, b, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)


def parameter_names(fn, count):
    """The names of the first `count` positional arguments of fn."""
    names = [p.name for p in inspect.signature(fn).parameters.values()]
    return (names + [f"argument {i}" for i in range(len(names), count)])[:count]


def brief(value, width=64):
    """A value in one short line; for an array its numbers, shape and dtype."""
    if isinstance(value, Parameter | Tensor):
        return f"{type(value).__name__} {brief(value.data, width - 10)}"
    if isinstance(value, np.ndarray):
        numbers = np.array2string(
            value, threshold=6, edgeitems=2, precision=4, separator=", ", suppress_small=True, max_line_width=10**6
        )
        text = " ".join(numbers.split())
        text = text if len(text) <= width else text[: width - 1] + "…"
        return text if value.ndim == 0 else f"{text} {value.shape} {value.dtype}"
    if isinstance(value, Module):
        return type(value).__name__
    if callable(value):
        return getattr(value, "__name__", type(value).__name__)
    text = " ".join(repr(value).split())
    return text if len(text) <= width else text[: width - 1] + "…"
