"""The two tables in which a file's names are looked up, and nowhere else: layers and architectures.

`@architecture` adds to the second one, above a function that builds a network or above a class of one:

    @lightnn.models.architecture
    class Tiny(nn.Module):
        def __init__(self, width=8, rng=None): ...

Its networks can then be saved, and loaded by any program that has registered it too.
"""

import functools
import inspect
from collections.abc import Callable

from lightnn import nn, options

__all__ = ["ARCHITECTURES", "LAYERS", "architecture"]

LAYERS = {name: getattr(nn, name) for name in nn.__all__ if name not in ("Module", "ModuleList", "Parameter", "init")}
ARCHITECTURES = {}
Rng = options.Rng | None  # of the initial weights: a generator or a seed; None is seed 0


def architecture(make: Callable) -> Callable:
    """Register a function(**options, rng=None) -> Module or a Module class. What it makes remembers how it was made.

    The options must be numbers, truth values or short lists of numbers; text where the default is text. Weights made
    by `lightnn.nn.init` take no memory while a file is checked. ValueError for a name that is taken, and for *args.
    """
    name = make.__name__
    _check(make, name)
    if inspect.isclass(make):
        make.__init__ = _remembering_class(make)
        ARCHITECTURES[name] = make
    else:
        ARCHITECTURES[name] = _remembering_function(make)
    return ARCHITECTURES[name]


def signature(make: Callable) -> inspect.Signature:
    """The signature of a layer's or an architecture's constructor."""
    return _signature(inspect.unwrap(make) if not inspect.isclass(make) else make)


_signature = functools.lru_cache(maxsize=1024)(inspect.signature)


def _check(make, name):
    if inspect.isclass(make) and not issubclass(make, nn.Module):
        raise TypeError(f"architecture: want a Module class or a function, got the class {name}")
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD, inspect.Parameter.POSITIONAL_ONLY)
    for parameter in inspect.signature(make).parameters.values():
        if parameter.kind in several:
            raise ValueError(f"architecture: want arguments with names, but {name} takes {parameter}")
    known = LAYERS.get(name) or ARCHITECTURES.get(name)
    if known is not None and (known.__module__, known.__qualname__) != (make.__module__, make.__qualname__):
        raise ValueError(f"architecture: {known.__module__} has a {name} already; choose another name")


def _remembering_function(make):
    parameters = inspect.signature(make)

    @functools.wraps(make)
    def build(*args, **options):
        model = make(*args, **options)
        model.architecture = _how(make.__name__, parameters.bind(*args, **options))
        return model

    return build


def _remembering_class(cls):
    parameters, init = inspect.signature(cls), cls.__init__

    @functools.wraps(init)
    def __init__(self, *args, **options):
        init(self, *args, **options)
        if type(self) is cls:  # not a subclass, which builds something else
            self.architecture = _how(cls.__name__, parameters.bind(*args, **options))

    return __init__


def _how(name, bound):
    bound.apply_defaults()
    return {"type": name, "args": {k: v for k, v in bound.arguments.items() if k != "rng"}}
