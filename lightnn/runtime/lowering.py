"""Lowering: a network that only runs, on its compressed weights or as one program, and a report of what runs how."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import nn, options
from lightnn.runtime.floats.network import FloatNetwork
from lightnn.runtime.registry import LOWERED, RunsOnly, kinds
from lightnn.tables import Tabular, text_table


def lower(model: nn.Module, input_shape: Sequence[int] | None = None) -> nn.Module:
    """A new network, in eval mode, that only runs: it raises RuntimeError in training mode or for an input that
    requires a gradient. `model` itself is left as it was.

    Where weights are compressed, each such layer is replaced by one that computes on the stored form, if the table has
    one for its type and transforms. All other layers are copied, with their weights written out as plain numbers;
    `lower_report(model)` says why.

    A network of plain float32 weights becomes a FloatNetwork: one program in which batch norms are folded, and biases,
    activations and residual additions are done in the layer before them. Its outputs are the model's in eval mode, up
    to rounding (1e-5 of the largest). The program is made in the first call, or now for images of input_shape
    (N, C, H, W). Concatenation, slices of channels, channel shuffle and flatten cost nothing in it. A network with an
    op that has no rule runs module by module, and `FloatNetwork.why` names the op.

    TypeError if model is no Module, ValueError for a wrong input_shape.
    """
    _check(model)
    if input_shape is not None:
        input_shape = options.shape("lower: input_shape", input_shape)
    lowered = _replace(copy.deepcopy(model), {}).eval()
    for p in lowered.parameters():
        p.data, p.values, p.support, p.requires_grad = np.array(p().data), None, None, False
    if any(isinstance(m, RunsOnly) for m in lowered.modules()) or not list(lowered.parameters()):
        return lowered
    lowered = FloatNetwork(lowered).eval()
    return lowered if input_shape is None else lowered.plan(input_shape)


def _check(model):
    if not isinstance(model, nn.Module):
        raise TypeError(f"lower: want a Module, got {type(model).__name__}")


def _replace(node, done):
    """The Module that replaces node, with everything below it replaced; the same one wherever node occurs."""
    if id(node) in done:
        return done[id(node)]
    done[id(node)] = node
    runtime, _ = choose(node)
    if runtime is not None:
        done[id(node)] = runtime(node)
        return done[id(node)]
    for name, value in vars(node).items():
        if isinstance(value, nn.Module):
            vars(node)[name] = _replace(value, done)
        elif isinstance(value, list | tuple):
            new = [_replace(v, done) if isinstance(v, nn.Module) else v for v in value]
            if any(a is not b for a, b in zip(new, value, strict=True)):
                vars(node)[name] = type(value)(new)
    return node


def choose(layer: nn.Module) -> tuple[type | None, str]:
    """(the runtime class for this layer, ""), or (None, why it stays). A layer without weights may have one, too."""
    if isinstance(layer, RunsOnly):
        return None, "it is lowered already"
    weight = getattr(layer, "weight", None)
    if not isinstance(weight, nn.Parameter) or kinds(weight) == (None, None):
        runtime = LOWERED.get((type(layer), None, None))
        return runtime, "" if runtime else "its weight is not compressed"
    runtime = LOWERED.get((type(layer), *kinds(weight)))
    if runtime is not None:
        reason = runtime.refuses(layer)
        return (runtime, "") if reason is None else (None, reason)
    known = [cls.__name__ for cls, *_ in LOWERED if isinstance(layer, cls)]
    if known and type(layer).__name__ not in known:
        return None, f"it is a subclass of {known[0]} and may compute something else"
    return None, f"no runtime layer computes {type(layer).__name__} on {_stored_as(weight)}: it runs on plain numbers"


def _stored_as(weight):
    return " + ".join(filter(None, kinds(weight))) or "plain"


@dataclass(frozen=True)
class LoweredRow:
    """How `lower` runs one layer: `runs_as`, a class name, and if that is the layer's own, why."""

    module: str
    layer: str
    weight: str  # the kinds of its transforms
    runs_as: str
    why: str


class LowerReport(list, Tabular):
    """LoweredRows, in the order of the modules. Printed, a table, and below it why layers stay as they are."""

    def table(self):
        rows = [(r.module, r.layer, r.weight, r.runs_as, r.why) for r in self]
        return "", ("module", "layer", "weight", "runs as", "why"), rows

    def __str__(self):
        _, head, rows = self.table()
        notes = [f"{r.module or 'the network'} stays: {r.why}" for r in self if r.why]
        return "\n".join([text_table("", head[:-1], [row[:-1] for row in rows]), *notes])


def lower_report(model: nn.Module) -> LowerReport:
    """What `lower(model)` does with each layer that has a weight, and why some stay as they are."""
    _check(model)
    report = LowerReport()
    for name, layer in model.named_modules():
        weight = getattr(layer, "weight", None)
        if isinstance(weight, nn.Parameter):
            runtime, why = choose(layer)
            kind = type(layer).__name__
            report.append(LoweredRow(name, kind, _stored_as(weight), runtime.__name__ if runtime else kind, why))
        elif isinstance(layer, RunsOnly):
            report.append(LoweredRow(name, type(layer).__name__, "stored", type(layer).__name__, choose(layer)[1]))
        elif (runtime := choose(layer)[0]) is not None:
            report.append(LoweredRow(name, type(layer).__name__, "none", runtime.__name__, ""))
    return report
