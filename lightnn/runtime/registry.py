"""Which runtime layer computes on which compressed weight: a table that the layers fill themselves."""

from collections.abc import Callable

import numpy as np

from lightnn import options
from lightnn.compress import Codebook, SoftQuantizer
from lightnn.nn import Module, Parameter
from lightnn.tensor import Tensor

LOWERED = {}  # (layer class, kind of values or None, kind of support or None): runtime class


def lowers(layer: type, values: str | None = None, support: str | None = None) -> Callable[[type], type]:
    """Class decorator: this class computes what `layer` computes on a weight with these kinds of transforms.

    Its constructor takes the layer. `refuses(layer)` may give a reason why it can't take this one."""

    for name, kind in (("values", values), ("support", support)):
        if kind is not None:
            options.text(f"lowers: {name}", kind)

    def register(cls):
        key = layer, values, support
        if key in LOWERED:
            raise ValueError(f"lowers: {layer.__name__} with {values}, {support} is {LOWERED[key].__name__} already")
        LOWERED[key] = cls
        return cls

    return register


def kinds(p: Parameter) -> tuple[str | None, str | None]:
    """The kinds of p's values and support."""
    return getattr(p.values, "kind", None), getattr(p.support, "kind", None)


def codes_and_codebook(p: Parameter) -> tuple[np.ndarray, np.ndarray]:
    """(the code of each weight, the values that they stand for) of a Parameter with a Codebook or a SoftQuantizer."""
    if isinstance(p.values, Codebook):
        return p.values.codes.copy(), p.values.codebook.data.copy()
    parts = p.values.encode(p.data)
    return parts["codes"], SoftQuantizer.decode({**parts, "codes": np.arange(len(parts["levels"]))})


class RunsOnly(Module):
    """A layer of a lowered network: it has no parameters, only arrays, and refuses to train.

    stored: {what: array} of all that it holds. dense_bytes: what weight and bias take as plain numbers."""

    training = False

    @staticmethod
    def refuses(layer: Module) -> str | None:
        """Why this class can't take the layer; None if it can."""
        return None

    def stored(self) -> dict:
        raise NotImplementedError(f"{type(self).__name__} defines no stored")

    def check_that_it_runs_only(self, x) -> None:
        name = type(self).__name__
        if self.training:
            raise RuntimeError(f"{name}: a lowered network does not train; call eval(), or train what it was made from")
        if isinstance(x, Tensor) and x.requires_grad:
            raise RuntimeError(
                f"{name}: a lowered network gives no gradient; want an x without one, such as x.detach()"
            )
