"""Which filters to prune: by the size of their weights or of their feature maps (Li et al. 2017, "Pruning Filters for
Efficient ConvNets", arXiv 1608.08710, sections 3 and 4.4).

A filter j of a layer is the 3-D block F_j = w[j] (of a fully connected layer, a row). What goes is chosen by the
smallest scores; `lightnn.compress.surgery` then takes it out.
"""

import math

import numpy as np

from lightnn.compress.structure.channel_graph import channels
from lightnn.compress.structure.surgery import plan, thin
from lightnn.exercise import exercise
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad, watching


@exercise("03.1")
def filter_norms(w, order=1):
    """s_j = sum |F_j| for order 1, sqrt(sum F_j^2) for order 2: the score of each filter of w (O, I, ...), (O,)."""
    rows = np.abs(np.asarray(w, np.float64)).reshape(len(w), -1)
    return (rows**order).sum(1) ** (1 / order)


@exercise("03.2")
def smallest(scores, count):
    """The indices of the `count` smallest scores, ascending; of equal ones the first."""
    if not 0 <= count <= len(scores):
        raise ValueError(f"smallest: want 0 <= count <= {len(scores)}, got {count}")
    return np.sort(np.argsort(scores, kind="stable")[:count])


@exercise("03.4")
def greedy_norms(w, removed, order=1):
    """The filters' norms without the input channels that earlier layers have lost (section 3.3, "greedy pruning").

    removed: the indices of those channels along w's axis 1. The independent strategy counts them all.
    """
    kept = np.setdiff1d(np.arange(np.shape(w)[1]), removed)
    return filter_norms(np.asarray(w)[:, kept], order)


@exercise("03.5")
def map_statistics(maps):
    """{criterion: score (C,)} of feature maps x_ij, maps (N, C, H, W), as section 4.4 compares them.

    With f(x_ij) = mean, std, l1 or l2 norm of image i's map j, a score is the mean of f over the images; and
    "variance-l2" the variance over the images of the l2 norm (Polyak & Wolf 2015).
    """
    x = np.asarray(maps, np.float64).reshape(*np.shape(maps)[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.mean(0) for name, f in each.items()} | {"variance-l2": l2.var(0)}


def feature_maps(model, found, x):
    """{layer: its feature maps (N, C, ...)} for images x (N, C, H, W), after batch norm and ReLU, as the next layer
    reads them. found: the model's Channels."""
    wanted, maps, ops = {op: layer for layer, op in found.features.items()}, {}, iter(range(10**9))

    def watch(op, arrays, options, y):
        if (layer := wanted.get(next(ops))) is not None:
            maps[layer] = y

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(x))
    return maps


def norms(model, found, order=1):
    """{layer: its filters' norms}: the independent strategy."""
    modules = dict(model.named_modules())
    return {layer: filter_norms(modules[layer].weight().data, order) for layer in found.layers}


def select(found, scores, shares):
    """What to remove, {layer: rows}: of each layer the share `shares[layer]` with the smallest scores[layer].

    Rows that can only go together (see Channels) are one unit, whose score is the mean of its rows'. The number of
    units that stay is rounded down (so it was in the paper: its counts of ResNet-56 come out with no other rule).
    """
    return {layer: _units(found, layer, scores, share) for layer, share in shares.items()}


def _units(found, layer, scores, share):
    if layer not in found.layers:
        raise ValueError(f"select: no layer {layer!r}; there are {', '.join(found.layers)}")
    if not 0 <= share < 1:
        raise ValueError(f"select: want a share 0 <= share < 1 of {layer}, got {share!r}")
    _, unit = np.unique(found.roots(found.layers[layer]), return_inverse=True)
    means = np.bincount(unit, scores[layer]) / np.bincount(unit)
    return np.flatnonzero(np.isin(unit, smallest(means, math.ceil(share * len(means) - 1e-9))))


def select_greedily(model, found, shares, order=1):
    """As `select` by norms, layer by layer in the order of the run, each scored without the input channels that go."""
    chosen, gone, modules = {}, np.zeros(0, np.int64), dict(model.named_modules())
    for layer in found.layers:
        if layer not in shares:
            continue
        columns = next(use.ids for use in found.uses if (use.owner, use.attribute, use.axis) == (layer, "weight", 1))
        w = modules[layer].weight().data
        scores = {layer: greedy_norms(w, np.flatnonzero(np.isin(found.roots(columns), gone)), order)}
        chosen |= select(found, scores, {layer: shares[layer]})
        gone = np.union1d(gone, found.roots(found.layers[layer][chosen[layer]]))
    return chosen


def prune_filters(model, input_shape, shares, order=1):
    """A new, thinner network: of each layer in shares, {layer: share of its filters}, the smallest by norm are gone,
    with all that hangs together with them. `channels`, `norms`, `select`, `plan` and `thin` in one call."""
    found = channels(model, input_shape)
    return thin(model, plan(model, found, select(found, norms(model, found, order), shares)))
