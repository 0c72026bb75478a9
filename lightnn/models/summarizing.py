"""The table that people expect of a network: its layers, what each gives, and what each costs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.nn import Module, Parameter
from lightnn.nn.module import evaluating, running
from lightnn.tables import Tabular
from lightnn.tensor import Tensor, no_grad, watching

__all__ = ["Layer", "summary"]


class Layer(NamedTuple):
    """A module in which something was computed. Parameters are its own, not those of the modules in it."""

    path: str  # "" for the network itself
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int
    activation_bytes: int  # of all that its ops have made


class Summary(Tabular, list):
    """The Layers of a run, in order. It prints as a table with totals.

    unused: parameters of modules that did not run, such as an auxiliary classifier, which only training needs.
    """

    unused = 0
    parameters = property(lambda self: sum(layer.parameters for layer in self) + self.unused)
    macs = property(lambda self: sum(layer.macs for layer in self))
    activation_bytes = property(lambda self: sum(layer.activation_bytes for layer in self))

    def __repr__(self):
        return f"Summary({len(self)} layers, {self.parameters:,} parameters, {self.macs:,} MACs)"

    def table(self):
        head = ("layer", "", "output", "parameters", "MACs", "activation bytes")
        rows = [(m.path, m.kind, "x".join(map(str, m.output)), *m[3:]) for m in self]
        rows += [("parts that did not run", "", "", self.unused, 0, 0)] if self.unused else []
        return "", head, [*rows, ("total", "", "", self.parameters, self.macs, self.activation_bytes)]


def summary(model: Module, input_shape: Sequence[int]) -> Summary:
    """Run the model once, in eval mode, on zeros of input_shape (N, C, H, W) or whatever it takes; its Summary.

    One line for each module that computes something itself, in the order of the run. MACs are those of convolutions
    and fully connected layers, as in `metrics.trace`, which has a line for each op.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: want a Module, got {type(model).__name__}")
    shape = options.shape("summary: input_shape", input_shape)
    names, layers = {id(m): name for name, m in model.named_modules()}, {}

    def watch(op, arrays, given, y):
        module = running.get()
        if module is None or any(y is a for a in arrays):  # dropout, for one, gives what it got
            return
        path = names.get(id(module), "")
        old = layers.get(path) or Layer(path, type(module).__name__, (), _own(module), 0, 0)
        macs, held = old.macs + op.count_macs(arrays, y), old.activation_bytes + y.nbytes
        layers[path] = old._replace(output=y.shape, macs=macs, activation_bytes=held)

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(np.zeros(shape, np.float32)))
    found = Summary(layers.values())
    found.unused = sum(p.size for p in model.parameters()) - found.parameters
    return found


def _own(module):
    return sum(part.size for _, part in module.members() if isinstance(part, Parameter))
