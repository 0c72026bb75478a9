"""Tracing: run a network once and write down, op by op, what it computes, holds and moves.

Counting rules, the same everywhere in lightnn: one MAC is one multiplication and one addition; MACs are those of
convolutions and fully connected layers, border included, biases not (as in torchvision's tables, Li 2016, MobileNet,
ShuffleNet and NetAdapt; Han 2015 counts 2 FLOP a MAC). Parameters are all trained numbers. An op declares its MACs and
its weights where it is defined (see `lightnn.declare`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import options
from lightnn.nn import Module
from lightnn.nn.module import evaluating, running
from lightnn.tables import Tabular
from lightnn.tensor import Tensor, no_grad, watching


@dataclass(frozen=True)
class Row:
    """One op of a run. Bytes are of the arrays as they are (4 a number in float32)."""

    module: str  # path of the innermost module that called it, "" for the network itself
    op: str
    in_shape: tuple[int, ...]
    out_shape: tuple[int, ...]
    parameters: int  # numbers in its weight and bias
    macs: int
    activation_bytes: int  # of its output
    moved_bytes: int  # everything read and written once: inputs, weights, output


class Trace(Tabular, list):
    """The rows of a run, in order; it prints as a table with totals."""

    macs = property(lambda self: sum(row.macs for row in self))
    activation_bytes = property(lambda self: sum(row.activation_bytes for row in self))
    moved_bytes = property(lambda self: sum(row.moved_bytes for row in self))
    parameters = property(lambda self: sum(row.parameters for row in self))

    def __repr__(self):
        return f"Trace({len(self)} ops, {self.parameters:,} parameters, {self.macs:,} MACs)"

    def table(self):
        head = ("module", "op", "output", "parameters", "MACs", "KB moved")
        rows = [
            (r.module[-22:], r.op[:16], "x".join(map(str, r.out_shape)), r.parameters, r.macs, _kb(r.moved_bytes))
            for r in self
        ]
        return "", head, [*rows, ("total", "", "", self.parameters, self.macs, _kb(self.moved_bytes))]


def _kb(size_bytes):
    return f"{size_bytes / 1000:,.0f}"


def trace(model: Module, input_shape: Sequence[int]) -> Trace:
    """Run the model once, in eval mode, on zeros of input_shape (N, C, H, W) or whatever it takes; its Trace.

    A weight that a transform computes counts as the latent one.
    """
    if not isinstance(model, Module):
        raise TypeError(f"trace: want a Module, got {type(model).__name__}")
    shape = options.shape("trace: input_shape", input_shape)
    names = {id(m): name for name, m in model.named_modules()}
    rows = Trace()

    def watch(op, arrays, given, y):
        given = [a for a in arrays if isinstance(a, np.ndarray)]
        moved, held = sum(a.nbytes for a in (*given, y)), sum(w.size for w in op.weights_of(arrays))
        module, macs = names.get(id(running.get()), ""), op.count_macs(arrays, y)
        rows.append(Row(module, op.name, given[0].shape, y.shape, held, macs, y.nbytes, moved))

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(np.zeros(shape, np.float32)))
    return rows


def count_parameters(model: Module) -> int:
    """Trained numbers in the model, zeros of pruned weights included."""
    return sum(p.size for p in model.parameters())


def count_macs(model: Module, input_shape: Sequence[int]) -> int:
    """Multiply-accumulates of one run on input_shape, convolutions and fully connected layers; batch size included."""
    return trace(model, input_shape).macs
