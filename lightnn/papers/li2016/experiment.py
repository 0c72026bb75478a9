"""Filter pruning (Li, Kadav, Durdanovic, Samet & Graf, ICLR 2017, "Pruning Filters for Efficient ConvNets", arXiv
1608.08710): the counts of table 1, and its questions asked of two networks that train on a laptop.

The paper's networks take days of a GPU to train; what surgery does to their sizes does not, and is counted exactly
(li2016_tables.py). How accuracy bears it is measured on LeNet-5 and on a residual network of 8 layers, on MNIST: which
layers are sensitive (figure 2), which filters to choose (figures 7 and 8), one by one or greedily, at once or in steps,
and whether the pruned network is better than one of its shape trained from scratch. What the networks cost, filters
against single weights, and milliseconds against MACs are in li2016_costs.py.
"""

import functools
import math
from dataclasses import dataclass

from lightnn import compress, models
from lightnn.compress import channels, plan, prune_filters, select, select_greedily, thin
from lightnn.papers.lab import stage
from lightnn.papers.lab.journal import draws
from lightnn.papers.lab.lab import Lab
from lightnn.papers.li2016.costs import filters_or_weights, table, wall_clock
from lightnn.papers.li2016.tables import count_table, format_tables

__all__ = ["FULL", "METHODS", "QUICK", "Subject", "choose", "format_tables", "reproduce"]

SHARES = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75)
IMAGES = 500  # training images whose feature maps the activation-based methods look at


@dataclass(frozen=True)
class Subject:
    """A network, how it is trained, and which layers' filters may go. final: the share of them that goes in the end,
    at once with `retrain_epochs` epochs, or in as many steps of one epoch each."""

    make: object
    layers: tuple
    epochs: int
    lr: float
    retrain_epochs: int
    retrain_lr: float
    final: float
    shape: tuple = (1, 1, 28, 28)
    training: int | None = None  # how many of the training images; None: all


FULL = {
    "lenet5": Subject(models.lenet5, ("conv1", "conv2", "fc1"), 6, 0.05, 4, 0.02, 0.75),
    "resnet8": Subject(
        functools.partial(models.cifar_resnet, 8, 8, True, in_channels=1),
        ("layer1.0.conv1", "layer2.0.conv1", "layer2.0.downsample.0", "layer3.0.conv1", "layer3.0.downsample.0"),
        4,
        0.1,
        3,
        0.05,
        0.5,
        training=20_000,
    ),
}
QUICK = {"lenet5": Subject(models.lenet5, ("conv1", "conv2", "fc1"), 1, 0.05, 1, 0.02, 0.5)}
NORMS = {"smallest l1": (1, 1), "smallest l2": (2, 1), "largest l1": (1, -1)}
METHODS = (*NORMS, "greedy l1", "random", "mean-mean", "mean-std", "mean-l1", "mean-l2", "variance-l2")


def choose(model, found, shares, method, images, rng):
    """{layer: rows to remove}, by one of METHODS; shares: {layer: share of its filters}, images x (N, C, H, W)."""
    if method == "greedy l1":
        return select_greedily(model, found, shares)
    if method in NORMS:
        order, sign = NORMS[method]
        scores = {layer: sign * s for layer, s in compress.norms(model, found, order).items()}
    elif method == "random":
        scores = {layer: rng.random(len(ids)) for layer, ids in found.layers.items()}
    else:
        maps = compress.feature_maps(model, found, images)
        scores = {layer: compress.map_statistics(maps[layer])[method] for layer in shares}
    return select(found, scores, shares)


def reproduce(journal, seed=0, quick=False, progress=True, say=print):
    """All of it, as plain numbers. say: called with a line after each step."""
    images, result = stage.mnist(), {"table 1": journal.step("count table 1", count_table), "networks": {}}
    for name, subject in (QUICK if quick else FULL).items():
        part = images._replace(training=tuple(a[: subject.training] for a in images.training))
        lab = Lab(name, subject, part, journal.part(name), seed, progress)
        result["networks"][name] = _experiment(lab, say)
    result["wall-clock"] = journal.step("wall-clock", wall_clock)
    return {**result, "seconds": journal.seconds}


def _experiment(lab, say):
    """Everything about one network."""
    subject, journal, result = lab.subject, lab.journal, {}
    model, numbers = lab.network("reference", lab.fresh(), epochs=subject.epochs, lr=subject.lr)
    say(f"{lab.name:<9} reference: validation error {numbers['validation error %']} %")
    result["sensitivity"] = journal.step("sensitivity", lambda: _sensitivity(lab, model))
    result["methods"] = journal.step("methods", lambda: _methods(lab, model))
    result["retrained"] = _retrained(lab, model, say)
    ways = _ways(lab, model, say)
    result["ways"] = {way: numbers for way, (_, numbers) in ways.items()}
    result["table"] = journal.step(
        "table", lambda: table(lab, {"reference": model, **{w: m for w, (m, _) in ways.items()}})
    )
    if lab.name == "lenet5":
        result["filters or weights"] = filters_or_weights(lab, model, say)
    return result


def _cut(lab, model, share, method, name):
    """The network with this share of every layer's filters gone."""
    found, shares = channels(model, lab.subject.shape), dict.fromkeys(lab.subject.layers, share)
    images, rng = lab.images.training[0][:IMAGES], draws(lab.seed, name)
    return thin(model, plan(model, found, choose(model, found, shares, method, images, rng)))


def _validation(lab, model):
    return stage.error(model, lab.images.validation)


def _sensitivity(lab, model):
    """Figure 2: each layer's smallest filters alone, without retraining: validation errors in %."""
    curves = {layer: [] for layer in lab.subject.layers}
    for layer, share in [(layer, share) for layer in curves for share in SHARES]:
        curves[layer].append(_validation(lab, prune_filters(model, lab.subject.shape, {layer: share})))
    return {"shares": SHARES, "validation error %": curves}


def _methods(lab, model):
    """Figures 7 and 8: all layers, without retraining, by each method: validation errors in %."""
    errors = {m: [_validation(lab, _cut(lab, model, share, m, f"{m} {share}")) for share in SHARES] for m in METHODS}
    return {"shares": SHARES, "validation error %": errors}


def _retrained(lab, model, say):
    """The final share gone by four methods, then one epoch: does the choice still matter?"""
    errors, lr = {}, lab.subject.retrain_lr / 4  # small: within one epoch it does not fall
    for method in ("smallest l1", "largest l1", "random", "variance-l2"):
        name = f"{method}, one epoch"
        thinned = _cut(lab, model, lab.subject.final, method, name)
        _, numbers = lab.network(name, thinned, epochs=1, lr=lr)
        errors[method] = numbers["validation error %"]
        say(f"{lab.name:<9} {name}: validation error {errors[method]} %")
    return errors


def _ways(lab, model, say):
    """{way: (network, numbers)} of one shape and as many epochs: pruned at once, in steps, or trained from scratch."""
    subject, ways = lab.subject, {}
    how = {"epochs": subject.retrain_epochs, "lr": subject.retrain_lr}
    once = _cut(lab, model, subject.final, "smallest l1", "at once")
    ways["at once"] = lab.network("at once", once, **how)
    stepped, steps = model, subject.retrain_epochs
    for i in range(1, steps + 1):
        thinned = prune_filters(stepped, subject.shape, _step_shares(model, stepped, subject, i / steps))
        lr = subject.retrain_lr * (1 + math.cos(math.pi * (i - 1) / steps)) / 2  # as it falls in `at once`
        stepped, numbers = lab.network(f"in steps, {i}", thinned, epochs=1, lr=lr)
    ways["in steps"] = (stepped, numbers)
    fresh = _cut(lab, lab.fresh(), subject.final, "random", "from scratch")
    ways["from scratch"] = lab.network("from scratch", fresh, epochs=subject.epochs + steps, lr=subject.lr)
    for way, (_, numbers) in ways.items():
        say(f"{lab.name:<9} {way}: validation error {numbers['validation error %']} %")
    return ways


def _step_shares(model, stepped, subject, done):
    """{layer: share of the filters it still has to go}, so that each step takes the same factor, and all together what
    is taken at once."""
    left = (1 - subject.final) ** done
    now, first = channels(stepped, subject.shape).layers, channels(model, subject.shape).layers
    return {name: 1 - math.floor(len(first[name]) * left + 1e-9) / len(now[name]) for name in subject.layers}
