"""Which filters to prune: by the size of their weights or of their feature maps (Li et al. 2017, "Pruning Filters for
Efficient ConvNets", arXiv 1608.08710, sections 3 and 4.4).

Filter j of a layer is the 3-D block F_j = w[j] (in a fully connected layer, a row). The filters with the smallest
scores are chosen; `lightnn.compress.structure.surgery` then removes them.
"""

import math
from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.compress.finite import check_finite
from lightnn.compress.structure.channel_graph import Channels, channels
from lightnn.compress.structure.surgery import plan, thin
from lightnn.exercise import exercise
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad, watching

HIGHEST_ORDER = 2


@exercise("03.1")
def filter_norms(w, order=1):
    """The score of each filter of w, float64 (O,), for order 1 or 2:

        order 1:  s_j = sum |F_j|
        order 2:  s_j = sqrt(sum F_j^2)

    w is (O, I, KH, KW), or (O, I) in a fully connected layer; filter F_j is all of w[j]. Everything is computed in
    float64, whatever w's dtype. w is not changed.
    """
    options.count("filter_norms: order", order, at_most=HIGHEST_ORDER)
    rows = np.abs(np.asarray(w, np.float64)).reshape(len(w), -1)
    if not np.isfinite(rows).all():
        raise ValueError("filter_norms: want finite weights w, got NaN or infinite ones among them")
    return (rows**order).sum(1) ** (1 / order)


@exercise("03.2")
def smallest(scores, count):
    """The indices of the `count` smallest of the scores (n,), ascending: int64 (count,). Of equal scores, those with
    the lower index count as smaller.

    ValueError unless 0 <= count <= n. The scores are not changed.
    """
    options.whole("smallest: count", count)
    if not 0 <= count <= len(scores):
        raise ValueError(f"smallest: want 0 <= count <= {len(scores)}, got {count}")
    if not np.isfinite(scores).all():
        raise ValueError("smallest: want finite scores, got NaN or infinite ones among them")
    return np.sort(np.argsort(scores, kind="stable")[:count])


@exercise("03.4")
def greedy_norms(w, removed, order=1):
    """The filters' norms without the input channels that earlier layers have lost (section 3.3, "greedy pruning"):
    float64 (O,).

        s_j = the norm of w[j] over the input channels that remain

    w and order are those of `filter_norms`. removed: the indices, along w's axis 1, of the channels that are lost; a
    list or an array in any order, which may be empty. If no channel remains, every score is 0. w is not changed.
    """
    kept = np.setdiff1d(np.arange(np.shape(w)[1]), removed)
    return filter_norms(np.asarray(w)[:, kept], order)


@exercise("03.5")
def map_statistics(maps):
    """{criterion: score of each channel, float64 (C,)} of feature maps x_ij, maps (N, C, H, W), as section 4.4 compares
    them. x_ij is map j of image i. The sums run over its pixels, and n is their number:

        mean(x) = sum x / n      std(x) = sqrt(sum (x - mean(x))^2 / n)
        l1(x)   = sum |x|        l2(x)  = sqrt(sum x^2)

    The score of channel j is the mean of mean(x_ij) over the N images under "mean-mean"; likewise "mean-std",
    "mean-l1" and "mean-l2". Under "variance-l2" it is the variance of l2(x_ij) over the images (their mean squared
    deviation: divided by N; Polyak & Wolf 2015). Everything is computed in float64, whatever the maps' dtype.
    """
    x = np.asarray(maps, np.float64).reshape(*np.shape(maps)[:2], -1)
    l2 = np.sqrt((x**2).sum(2))
    each = {"mean-mean": x.mean(2), "mean-std": x.std(2), "mean-l1": np.abs(x).sum(2), "mean-l2": l2}
    return {name: f.mean(0) for name, f in each.items()} | {"variance-l2": l2.var(0)}


def feature_maps(model: Module, found: Channels, x: np.ndarray) -> dict[str, np.ndarray]:
    """{layer: its feature maps (N, C, ...)} for images x (N, C, H, W), after batch norm and ReLU, as the next layer
    reads them. found: the model's Channels."""
    wanted, maps, ops = {op: layer for layer, op in found.features.items()}, {}, iter(range(10**9))

    def watch(op, arrays, given, y):
        if (layer := wanted.get(next(ops))) is not None:
            maps[layer] = y

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(x))
    return maps


def norms(model: Module, found: Channels, order: int = 1) -> dict[str, np.ndarray]:
    """{layer: its filters' norms}: the independent strategy."""
    modules = dict(model.named_modules())
    weights = {layer: modules[layer].weight().data for layer in found.layers}
    for layer, w in weights.items():
        check_finite(f"norms: {layer}.weight", w)
    return {layer: filter_norms(w, order) for layer, w in weights.items()}


def select(found: Channels, scores: dict[str, np.ndarray], fractions: dict[str, float]) -> dict[str, np.ndarray]:
    """What to remove, {layer: rows}: of each layer the fraction `fractions[layer]` with the smallest scores[layer].

    Rows that can only be removed together (see Channels) are one unit; its score is the mean of its rows' scores. The
    number of units that stay is rounded down: with no other rule do the paper's counts of ResNet-56 come out.
    """
    fractions = _fractions(found, fractions)
    return {layer: _units(found, layer, scores[layer], fraction) for layer, fraction in fractions.items()}


def _fractions(found, fractions):
    """{layer: fraction}, after a check of each."""
    for layer in options.named("select: fractions", fractions):
        options.one_of("select: fractions: layer", layer, list(found.layers))
    return {k: options.number(f"select: fractions of {k}", v, at_least=0, below=1) for k, v in fractions.items()}


def _units(found, layer, scores, fraction):
    check_finite(f"select: the scores of {layer}", scores)
    _, unit = np.unique(found.roots(found.layers[layer]), return_inverse=True)
    means = np.bincount(unit, scores) / np.bincount(unit)
    return np.flatnonzero(np.isin(unit, smallest(means, math.ceil(fraction * len(means) - 1e-9))))


def select_greedily(
    model: Module, found: Channels, fractions: dict[str, float], order: int = 1
) -> dict[str, np.ndarray]:
    """As `select` by norms, layer by layer in the order of the run. Each layer's filters are scored without the input
    channels that are removed."""
    fractions = _fractions(found, fractions)
    chosen, gone, modules = {}, np.zeros(0, np.int64), dict(model.named_modules())
    for layer in found.layers:
        if layer not in fractions:
            continue
        columns = next(use.ids for use in found.uses if (use.owner, use.attribute, use.axis) == (layer, "weight", 1))
        w = modules[layer].weight().data
        check_finite(f"select_greedily: {layer}.weight", w)
        scores = {layer: greedy_norms(w, np.flatnonzero(np.isin(found.roots(columns), gone)), order)}
        chosen |= select(found, scores, {layer: fractions[layer]})
        gone = np.union1d(gone, found.roots(found.layers[layer][chosen[layer]]))
    return chosen


def prune_filters(model: Module, input_shape: Sequence[int], fractions: dict[str, float], order: int = 1) -> Module:
    """A new, thinner network: in each layer of fractions, {layer: fraction of its filters}, the filters with the
    smallest norms are removed, with everything that depends on them. `channels`, `norms`, `select`, `plan` and `thin`
    in one call."""
    found = channels(model, input_shape)
    return thin(model, plan(model, found, select(found, norms(model, found, order), fractions)))
