"""Lowering: a network that computes on its compressed weights, and the bytes that it holds."""

import copy
import math
from dataclasses import dataclass

from lightnn import nn
from lightnn.compress import Mask
from lightnn.runtime.layers import Sparse, SparseConv2d, SparseLinear


def lower(model):
    """A new network, in eval mode, in which each Linear and each Conv2d of one group whose weight has a Mask is a
    SparseLinear or SparseConv2d that holds the kept elements only; `model` itself is left as it was.

    All other layers are copied. The new network only runs: its parameters require no gradient, and a sparse layer
    raises RuntimeError in training mode or for an input that requires a gradient. TypeError if model is no Module.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"lower: want a Module, got {type(model).__name__}")
    lowered = _replace(copy.deepcopy(model), {}).eval()
    for p in lowered.parameters():
        p.requires_grad = False
    return lowered


def _replace(node, done):
    """The Module that takes the place of node, everything below it replaced; one for each, wherever it stands."""
    if id(node) in done:
        return done[id(node)]
    done[id(node)] = node
    if (kind := _sparse_kind(node)) is not None:
        done[id(node)] = kind(node)
        return done[id(node)]
    for name, value in vars(node).items():
        if isinstance(value, nn.Module):
            vars(node)[name] = _replace(value, done)
        elif isinstance(value, list | tuple):
            new = [_replace(v, done) if isinstance(v, nn.Module) else v for v in value]
            if any(a is not b for a, b in zip(new, value, strict=True)):
                vars(node)[name] = type(value)(new)
    return node


def _sparse_kind(layer):
    """SparseLinear, SparseConv2d, or None for what stays. A subclass may compute something else: it stays."""
    kind = {nn.Linear: SparseLinear, nn.Conv2d: SparseConv2d}.get(type(layer))
    if kind is None or not isinstance(layer.weight.support, Mask) or getattr(layer, "groups", 1) != 1:
        return None
    return kind


@dataclass(frozen=True)
class HeldRow:
    """Bytes that one module holds itself, without the modules in it, by what they are for."""

    module: str
    kind: str  # its class
    values: int  # weights or their codes, and whatever else is no part of the following
    indices: int  # columns of stored elements
    pointers: int
    codebook: int
    bias: int
    dense: int  # what weight and bias take with every weight stored as a number

    held = property(lambda self: self.values + self.indices + self.pointers + self.codebook + self.bias)


class Held(list):
    """HeldRows, in the order of the modules; printed, a table with totals."""

    held = property(lambda self: sum(row.held for row in self))
    dense = property(lambda self: sum(row.dense for row in self))

    def __str__(self):
        head = _line("module", "values", "indices", "pointer", "codes", "bias", "held", "dense")
        rows = [(r.values, r.indices, r.pointers, r.codebook, r.bias, r.held, r.dense) for r in self]
        lines = [_line(r.module[-11:], *(f"{n:,}" for n in row)) for r, row in zip(self, rows, strict=True)]
        totals = (f"{sum(column):,}" for column in zip(*rows, strict=True)) if rows else ["0"] * 7
        return "\n".join([head, *lines, _line("total", *totals)])


def _line(module, values, indices, pointers, codebook, bias, held, dense):
    return f"{module:<11} {values:>11} {indices:>11} {pointers:>7} {codebook:>5} {bias:>6} {held:>11} {dense:>11}"


def held_bytes(model):
    """Held: the bytes of arrays that each module of a network, lowered or not, holds to run: weights, indices, buffers.

    What training adds (gradients, optimizer) is not counted, nor what a run allocates for a while.
    """
    rows = [_held_row(name, m) for name, m in model.named_modules()]
    return Held(row for row in rows if row.held)


def _held_row(name, m):
    kind = type(m).__name__
    if isinstance(m, Sparse):
        values, columns, pointers, codebook, bias = (0 if a is None else a.nbytes for a in m.stored())
        dense = math.prod(m.weight_shape) * m.codebook.itemsize + bias
        return HeldRow(name, kind, values, columns, pointers, codebook, bias, dense)
    own = {n: p.data.nbytes for n, p in m.members() if isinstance(p, nn.Parameter)}
    bias = own.pop("bias", 0)
    values = sum(own.values()) + sum(getattr(m, b).nbytes for b in m.buffers)
    return HeldRow(name, kind, values, 0, 0, 0, bias, values + bias)
