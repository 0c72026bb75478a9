"""Batch-norm folding: a convolution or fully connected layer takes over the batch norm that follows it (Jacob et al.
2018, arXiv 1712.05877, section 3.2 and appendix A.4).

    w_fold = gamma w / sqrt(var + eps)        b_fold = beta + gamma (b - mu) / sqrt(var + eps)

In eval mode both are the same function, up to rounding. Integer inference needs it: a batch norm of its own would need
a multiplication and an addition in floats for each number.

    plan_folding(model, (1, 3, 32, 32))         which batch norm folds into what, and why some stay
    fold_batch_norm(model, (1, 3, 32, 32))      the new network
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn.compress.finite import check_finite
from lightnn.compress.structure.wiring import INPUT, wiring
from lightnn.compress.transforms.mask import Mask
from lightnn.models import replace
from lightnn.nn import BatchNorm1d, BatchNorm2d, Conv2d, Identity, Linear, Module, Parameter
from lightnn.tables import Tabular

NORMS, LAYERS = (BatchNorm1d, BatchNorm2d), (Conv2d, Linear)


@dataclass(frozen=True)
class Fold:
    """One batch norm, by its path: the layer that it folds into, or why it stays."""

    norm: str
    layer: str | None
    why: str = ""


class Folding(Tabular, list):
    """Folds, in the order of the modules; it prints as a table."""

    @property
    def pairs(self) -> dict[str, str]:
        """{layer: the batch norm that it takes over}."""
        return {fold.layer: fold.norm for fold in self if fold.layer is not None}

    def table(self):
        rows = [(fold.norm, fold.layer or "", f"stays: {fold.why}" if fold.why else "") for fold in self]
        return "", ("batch norm", "folds into", "note"), rows

    def __repr__(self):
        return f"Folding({len(self.pairs)} of {len(self)} batch norms)"


def plan_folding(model: Module, input_shape: Sequence[int]) -> Folding:
    """Which batch norms fold into the layers before them, seen in one run on input_shape (N, C, H, W)."""
    run, modules = wiring("plan_folding", model, input_shape), dict(model.named_modules())
    owners = {}
    for path, m in modules.items():
        for _, p in m.members():
            owners.setdefault(id(p), []).append(path)
    shared = {path for paths in owners.values() if len(paths) > 1 for path in paths}
    found = Folding()
    for path, m in modules.items():
        if isinstance(m, NORMS):
            layer, why = _layer_before(run, modules, path)
            if not why and {layer, path} & shared:
                why = f"it shares weights, or {layer} does"
            found.append(Fold(path, None if why else layer, why))
    return found


def _layer_before(run, modules, path):
    """(path of the layer that the batch norm at path reads, "" or why they can't be folded)."""
    if type(modules[path]) not in NORMS:
        return None, f"its class is {type(modules[path]).__name__}, not lightnn's"
    steps = [step for step in run.steps if step.module == path]
    if run.calls[path] != 1 or len(steps) != 1:
        return None, f"it is called {run.calls[path]} times"
    made = steps[0].inputs[0]
    if made == INPUT:
        return None, "it reads the network's input"
    before = run.steps[made]
    layer = modules.get(before.module)
    if type(layer) not in LAYERS or not before.op.is_layer:
        return None, f"it reads {before.op.name} in {before.module or 'the network'}"
    if run.calls[before.module] != 1:
        return None, f"{before.module} is called {run.calls[before.module]} times"
    if len(run.readers[made]) > 1 or made == run.output:
        return None, f"what {before.module} gives is read elsewhere, too"
    if before.y.ndim == 3:
        return None, f"its channels are not the columns of {before.module}"
    kinds = [p.values.kind for _, p in layer.members() if p.values is not None]
    return before.module, f"{before.module} has {kinds[0]} weights" if kinds else ""


def fold_batch_norm(model: Module, input_shape: Sequence[int]) -> Module:
    """A new network in which layers have taken over the batch norms that follow them; an Identity stands in the place
    of each. Its outputs in eval mode are the model's, up to rounding. A batch norm that can't be folded stays
    (`plan_folding` says why). Masks of weights stay. ValueError for numbers that are not finite."""
    modules, new = dict(model.named_modules()) if isinstance(model, Module) else {}, {}
    for layer, norm in plan_folding(model, input_shape).pairs.items():
        new |= {layer: _folded(layer, modules[layer], modules[norm]), norm: Identity()}
    return replace(model, new)


def _folded(path, layer, norm):
    """A copy of the layer with the batch norm folded in."""
    if not (norm.running_var + norm.eps > 0).all():  # NaN too
        raise ValueError(f"fold_batch_norm: {path}: want variances + eps > 0 in the batch norm, got {norm!r}")
    twin, dtype = copy.deepcopy(layer), layer.weight.dtype
    factor = norm.weight().data / np.sqrt(norm.running_var.astype(np.float64) + norm.eps)
    along = (-1, *[1] * (layer.weight.ndim - 1))
    w = twin.weight
    w.data, w.grad = (w.data * factor.reshape(along)).astype(dtype), None
    b = 0 if layer.bias is None else layer.bias().data.astype(np.float64)
    twin.bias = Parameter((norm.bias().data + (b - norm.running_mean) * factor).astype(dtype))
    if isinstance(norm.weight.support, Mask):  # what was cut there stays 0 in training
        rows = norm.weight.support.mask
        w.support = Mask(
            np.broadcast_to(rows.reshape(along), w.shape) & (True if w.support is None else w.support.mask)
        )
        if isinstance(norm.bias.support, Mask):
            twin.bias.support = Mask(rows | norm.bias.support.mask)
    check_finite(f"fold_batch_norm: {path}.weight", w.data)
    check_finite(f"fold_batch_norm: {path}.bias", twin.bias.data)
    return twin
