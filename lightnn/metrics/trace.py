"""Tracing: run a network once and write down, op by op, what it computes, holds and moves.

Counting rules, the same everywhere in lightnn: one MAC is one multiplication and one addition; MACs are those of
convolutions and fully connected layers, border included, biases not (as in torchvision's tables, Li 2016, MobileNet,
ShuffleNet and NetAdapt; Han 2015 counts 2 FLOP a MAC). Parameters are all trained numbers.
"""

from dataclasses import dataclass

import numpy as np

from lightnn.functional.conv import CONVOLUTIONS
from lightnn.nn import Module
from lightnn.nn.module import evaluating, running
from lightnn.tensor import Tensor, no_grad, watching

SPARSE = ("sparse_linear", "sparse_conv2d")
COUNTED = {  # op: MACs, from its arrays and its output
    **{name: lambda arrays, y: y.size * arrays[1][0].size for name in CONVOLUTIONS},
    "linear": lambda arrays, y: y.size * arrays[1].shape[1],
    "matmul": lambda arrays, y: y.size * arrays[0].shape[-1],
    # of the runtime, x, values, columns, pointers, ...: each stored element once an output position
    **{name: lambda arrays, y: arrays[1].size * (y.size // (arrays[3].size - 1)) for name in SPARSE},
}


@dataclass(frozen=True)
class Row:
    """One op of a run. Bytes are of the arrays as they are (4 a number in float32)."""

    module: str  # path of the innermost module that called it, "" for the network itself
    op: str
    in_shape: tuple
    out_shape: tuple
    parameters: int  # numbers in its weight and bias
    macs: int
    activation_bytes: int  # of its output
    moved_bytes: int  # everything read and written once: inputs, weights, output


class Trace(list):
    """The rows of a run, in order; printed, a table with totals."""

    macs = property(lambda self: sum(row.macs for row in self))
    activation_bytes = property(lambda self: sum(row.activation_bytes for row in self))
    moved_bytes = property(lambda self: sum(row.moved_bytes for row in self))
    parameters = property(lambda self: sum(row.parameters for row in self))

    def __str__(self):
        lines = [f"{'module':<22} {'op':<16} {'output':<18} {'parameters':>10} {'MACs':>13} {'KB moved':>9}"]
        for row in self:
            shape = "x".join(map(str, row.out_shape))
            lines.append(_line(row.module[-22:], row.op[:16], shape, row.parameters, row.macs, row.moved_bytes))
        return "\n".join([*lines, _line("total", "", "", self.parameters, self.macs, self.moved_bytes)])


def _line(module, op, shape, parameters, macs, moved_bytes):
    return f"{module:<22} {op:<16} {shape:<18} {parameters:>10,} {macs:>13,} {moved_bytes / 1000:>9,.0f}"


def trace(model, input_shape):
    """Run the model once, in eval mode, on zeros of input_shape (N, C, H, W) or whatever it takes; its Trace.

    The parameters of a convolution, a fully connected layer or a batch norm are its arrays beside the input; a weight
    that a transform computes counts as the latent one.
    """
    if not isinstance(model, Module):
        raise TypeError(f"trace: want a Module, got {type(model).__name__}")
    shape = tuple(input_shape)
    if not shape or not all(isinstance(n, int | np.integer) and n >= 1 for n in shape):
        raise ValueError(f"trace: want input_shape to be ints >= 1, batch first, got {input_shape!r}")
    names = {id(m): name for name, m in model.named_modules()}
    rows = Trace()

    def watch(op, arrays, options, y):
        x, *rest = [a for a in arrays if isinstance(a, np.ndarray)]
        weights = rest if op in (*CONVOLUTIONS, "linear", "batch_norm") else []
        if op in SPARSE:  # values and bias, not where they stand
            weights = [arrays[1], *(b for b in arrays[5:] if b is not None)]
        moved = sum(a.nbytes for a in (x, *rest, y))
        macs = int(COUNTED[op](arrays, y)) if op in COUNTED else 0
        count = sum(w.size for w in weights)
        rows.append(Row(names.get(id(running.get()), ""), op, x.shape, y.shape, count, macs, y.nbytes, moved))

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(np.zeros(shape, np.float32)))
    return rows


def count_parameters(model):
    """Trained numbers in the model, zeros of pruned weights included."""
    return sum(p.size for p in model.parameters())


def count_macs(model, input_shape):
    """Multiply-accumulates of one run on input_shape, convolutions and fully connected layers; batch size included."""
    return trace(model, input_shape).macs
