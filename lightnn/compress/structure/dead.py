"""Removes neurons that pruning has left without connections; no output changes (Han et al. 2015, arXiv 1506.02626,
section 3.5).

A neuron without outgoing connections adds nothing. One without incoming connections is a constant, f(b): the paper
calls it dead too, but it can be removed only after its constant has been added to the biases of the next layer.
"""

import copy
from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.compress.structure.channel_graph import channels
from lightnn.compress.structure.surgery import plan, thin
from lightnn.exercise import exercise
from lightnn.nn import Module
from lightnn.nn.module import evaluating, running
from lightnn.tensor import Tensor, no_grad, watching


@exercise("02.9")
def fold_constants(w, b, values, constant):
    """The bias of a layer y = w x + b after its constant inputs are removed: it takes over what they always add.

        b' = b + sum_{i constant} W[:, i] x_i

    w (O, I), b (O,). values (I,): the inputs x for one image. constant (I,): a bool array, True where x_i is the same
    for every image, perhaps nowhere.

    Returns b' (O,), a new array of the dtype that NumPy gives w, b and values together: float32 if all three are. The
    arguments stay as they are.
    """
    return b + w[:, constant] @ values[constant]


def remove_dead(model: Module, input_shape: Sequence[int]) -> tuple[Module, dict[str, int]]:
    """(the network without its dead channels, {layer: how many were removed}); its outputs are the same, up to the
    rounding of the folded sums. It repeats until nothing is dead: a neuron may die with the only one that it fed."""
    went, input_shape = {}, options.shape("remove_dead: input_shape", input_shape)
    while True:
        found = channels(model, input_shape)
        readers = _readers(model, found, input_shape)
        constant = _constant(model, found, readers)
        dead = _spare(found, constant | _unread(model, found))
        rows = {layer: np.flatnonzero(np.isin(found.roots(ids), dead)) for layer, ids in found.layers.items()}
        rows = {layer: gone for layer, gone in rows.items() if gone.size}
        if not rows:
            return model, went
        model = copy.deepcopy(model)
        _fold(model, found, readers, np.intersect1d(dead, list(constant)))
        model = thin(model, plan(model, found, rows))
        for layer, gone in rows.items():
            went[layer] = went.get(layer, 0) + len(gone)


def _spare(found, dead):
    """The dead channels as an array; of a layer whose channels are all dead, one is spared."""
    for ids in found.layers.values():
        roots = {int(i) for i in found.roots(ids)}
        if roots <= dead:
            dead = dead - {min(roots)}
    return np.array(sorted(dead), np.int64)


def _all_zero(model, found, uses):
    """Channels, not held, that have only zeros in all of the given uses."""
    owners, alive = dict(model.named_modules()), set(found.roots(list(found.held)).tolist())
    for use in uses:
        w = np.moveaxis(owners[use.owner].weight().data, use.axis, 0)
        alive |= set(found.roots(use.ids[w.reshape(len(w), -1).any(1)]).tolist())
    return {int(i) for ids in found.layers.values() for i in found.roots(ids)} - alive


def _unread(model, found):
    """Channels that no layer reads with a weight other than 0."""
    return _all_zero(model, found, [use for use in found.uses if use.attribute == "weight" and use.axis == 1])


def _readers(model, found, input_shape):
    """[(use, the input x (C, ...) of its layer in one run)]: which layers read channels, and what values they see if
    these are constant."""
    paths, inputs = {id(m): name for name, m in model.named_modules()}, {}

    def watch(op, arrays, given, y):
        if op.is_layer:
            path = paths.get(id(running.get()))
            inputs[path] = None if path in inputs else arrays[0][0]  # None: it reads two things

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(np.zeros((1, *input_shape[1:]), next(model.parameters()).dtype)))
    return [(use, inputs[use.owner]) for use in found.uses if use.attribute == "weight" and use.axis == 1]


def _constant(model, found, readers):
    """Channels whose layers' weights are all 0, if every layer that reads them can add them to its bias: it has one,
    and its kernel sees no border. A channel that is 0 needs no bias."""
    makers = [use for use in found.uses if use.attribute == "weight" and use.axis == 0 and use.owner in found.layers]
    constant, owners = _all_zero(model, found, makers), dict(model.named_modules())
    for use, x in readers:
        layer = owners[use.owner]
        if x is None or len(x) != len(use.ids):
            constant -= set(found.roots(use.ids).tolist())
            continue
        pixels = x.reshape(len(x), -1)
        bordered = any(getattr(layer, "padding", ()))
        foldable = (pixels == pixels[:, :1]).all(1) & (layer.bias is not None) & (not bordered)
        constant -= set(found.roots(use.ids[~foldable & pixels.any(1)]).tolist())
    return constant


def _fold(model, found, readers, constant):
    """Add what the constant channels contribute to the biases of all layers that read them."""
    owners = dict(model.named_modules())
    for use, x in readers:
        here, layer = np.isin(found.roots(use.ids), constant), owners[use.owner]
        if here.any() and x[here].any():
            w = layer.weight().data.reshape(*layer.weight.shape[:2], -1).sum(2, dtype=np.float64)
            b, values = layer.bias().data, x.reshape(len(x), -1)[:, 0]
            layer.bias.values = layer.bias.support = None
            layer.bias.data = fold_constants(w, b, values, here).astype(b.dtype)
