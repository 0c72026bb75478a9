"""Filter pruning (Li, Kadav, Durdanovic, Samet & Graf, ICLR 2017, "Pruning Filters for Efficient ConvNets", arXiv
1608.08710): the counts of table 1, and its questions asked of two networks that train on a laptop.

Training the paper's networks takes days on a GPU. Their sizes after surgery can be counted exactly without training
(tables.py). What surgery does to the accuracy is measured on LeNet-5 and on a residual network of 8 layers, on MNIST:
which layers are sensitive (figure 2), which filters to choose (figures 7 and 8), independently or greedily, at once or
in steps, and whether the pruned network is better than a network of its shape that is trained from scratch. costs.py
measures what the networks cost, compares filters with single weights, and milliseconds with MACs; controls.py what
retraining gains, over three seeds.
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lightnn import compress, models, nn
from lightnn.compress import Channels, channels, plan, prune_filters, select, select_greedily, thin
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.papers.li2016.costs import filters_or_weights, table, wall_clock
from lightnn.papers.li2016.tables import count_table
from lightnn.training import Recipe

FRACTIONS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75)
IMAGES = 500  # training images on which the activation-based methods compute feature maps


@dataclass(frozen=True)
class Subject:
    """A network, how it is trained, and which layers' filters may be removed.

    final: the fraction of the filters that is removed in the end, at once before `retraining`, or in as many steps as
    that has epochs. images: how many of the training images are used; None for all.
    """

    make: Callable[..., nn.Module]
    layers: tuple[str, ...]
    training: Recipe
    retraining: Recipe
    final: float
    shape: tuple[int, ...] = (1, 1, 28, 28)
    images: int | None = None


FULL = {
    "lenet5": Subject(
        models.lenet5,
        ("conv1", "conv2", "fc1"),
        training=stage.recipe(epochs=6, lr=0.05),
        retraining=stage.recipe(epochs=4, lr=0.02),
        final=0.75,
    ),
    "resnet8": Subject(
        functools.partial(models.cifar_resnet, 8, 8, True, in_channels=1),
        ("layer1.0.conv1", "layer2.0.conv1", "layer2.0.downsample.0", "layer3.0.conv1", "layer3.0.downsample.0"),
        training=stage.recipe(epochs=4, lr=0.1),
        retraining=stage.recipe(epochs=3, lr=0.05),
        final=0.5,
        images=20_000,
    ),
}
QUICK = {
    "lenet5": dataclasses.replace(
        FULL["lenet5"], training=stage.recipe(epochs=1, lr=0.05), retraining=stage.recipe(epochs=1, lr=0.02), final=0.5
    )
}
NORMS = {"smallest l1": (1, 1), "smallest l2": (2, 1), "largest l1": (1, -1)}
METHODS = (*NORMS, "greedy l1", "random", "mean-mean", "mean-std", "mean-l1", "mean-l2", "variance-l2")


def choose(
    model: nn.Module,
    found: Channels,
    fractions: Mapping[str, float],
    method: str,
    images: np.ndarray,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """{layer: rows to remove}, chosen by one of METHODS.

    fractions: {layer: the fraction of its filters to remove}. images: x (N, C, H, W), for the activation-based methods.
    """
    if method == "greedy l1":
        return select_greedily(model, found, fractions)
    if method in NORMS:
        order, sign = NORMS[method]
        scores = {layer: sign * s for layer, s in compress.norms(model, found, order).items()}
    elif method == "random":
        scores = {layer: rng.random(len(ids)) for layer, ids in found.layers.items()}
    else:
        maps = compress.feature_maps(model, found, images)
        scores = {layer: compress.map_statistics(maps[layer])[method] for layer in fractions}
    return select(found, scores, fractions)


def reproduce(session: Session) -> dict:
    """Table 1, the comparisons of the figures, and the timings, as plain numbers."""
    images, result = stage.mnist(), {"table 1": session.journal.step("count table 1", count_table), "networks": {}}
    for name, subject in (QUICK if session.quick else FULL).items():
        part = images._replace(training=tuple(a[: subject.images] for a in images.training))
        experiment = Experiment(name, subject, part, session.part(name))
        result["networks"][name] = _one_network(experiment)
    result["wall-clock"] = session.journal.step("wall-clock", wall_clock)
    return {**result, "seconds": session.journal.seconds}


def _one_network(experiment):
    """Everything about one network."""
    subject, journal, result = experiment.subject, experiment.journal, {}
    model, numbers = experiment.network("reference", experiment.fresh(), subject.training)
    experiment.say(f"{experiment.name:<9} reference: validation error {numbers['validation error %']} %")
    result["sensitivity"] = journal.step("sensitivity", lambda: _sensitivity(experiment, model))
    result["methods"] = journal.step("methods", lambda: _methods(experiment, model))
    result["retrained"] = _retrained(experiment, model)
    made = ways(experiment, model)
    result["ways"] = {way: numbers for way, (_, numbers) in made.items()}
    networks = {"reference": model, **{way: network for way, (network, _) in made.items()}}
    result["table"] = journal.step("table", lambda: table(experiment, networks))
    if experiment.name == "lenet5":
        result["filters or weights"] = filters_or_weights(experiment, model)
    return result


def cut(experiment: Experiment, model: nn.Module, fraction: float, method: str, name: str) -> nn.Module:
    """The network without this fraction of every layer's filters."""
    found, fractions = channels(model, experiment.subject.shape), dict.fromkeys(experiment.subject.layers, fraction)
    images, rng = experiment.images.training[0][:IMAGES], draws(experiment.seed, name)
    return thin(model, plan(model, found, choose(model, found, fractions, method, images, rng)))


def _validation(experiment, model):
    return stage.error(model, experiment.images.validation)


def _sensitivity(experiment, model):
    """Figure 2: each layer loses its smallest filters alone, without retraining: validation errors in %."""
    curves = {layer: [] for layer in experiment.subject.layers}
    for layer, fraction in itertools.product(curves, FRACTIONS):
        curves[layer].append(_validation(experiment, prune_filters(model, experiment.subject.shape, {layer: fraction})))
    return {"fractions": FRACTIONS, "validation error %": curves}


def _methods(experiment, model):
    """Figures 7 and 8: all layers, without retraining, by each method: validation errors in %."""
    errors = {method: [] for method in METHODS}
    for method, fraction in itertools.product(METHODS, FRACTIONS):
        errors[method].append(_validation(experiment, cut(experiment, model, fraction, method, f"{method} {fraction}")))
    return {"fractions": FRACTIONS, "validation error %": errors}


def _retrained(experiment, model):
    """The final fraction removed by four methods, then one epoch: does the choice still matter?"""
    subject, errors = experiment.subject, {}
    recipe = dataclasses.replace(subject.retraining, epochs=1, lr=subject.retraining.lr / 4)  # within 1 epoch it stays
    for method in ("smallest l1", "largest l1", "random", "variance-l2"):
        name = f"{method}, one epoch"
        thinned = cut(experiment, model, subject.final, method, name)
        _, numbers = experiment.network(name, thinned, recipe)
        errors[method] = numbers["validation error %"]
        experiment.say(f"{experiment.name:<9} {name}: validation error {errors[method]} %")
    return errors


def ways(experiment: Experiment, model: nn.Module) -> dict[str, tuple[nn.Module, dict]]:
    """{way: (network, numbers)} of one shape and as many epochs: pruned at once, in steps, or trained from scratch."""
    subject, recipe, made = experiment.subject, experiment.subject.retraining, {}
    once = cut(experiment, model, subject.final, "smallest l1", "at once")
    made["at once"] = experiment.network("at once", once, recipe)
    stepped, steps = model, recipe.epochs
    for i in range(1, steps + 1):
        thinned = prune_filters(stepped, subject.shape, _step_fractions(model, stepped, subject, i / steps))
        lr = recipe.lr * (1 + math.cos(math.pi * (i - 1) / steps)) / 2  # as it falls in `at once`
        step = dataclasses.replace(recipe, epochs=1, lr=lr)
        stepped, numbers = experiment.network(f"in steps, {i}", thinned, step)
    made["in steps"] = (stepped, numbers)
    fresh = cut(experiment, experiment.fresh(), subject.final, "random", "from scratch")
    longer = dataclasses.replace(subject.training, epochs=subject.training.epochs + steps)
    made["from scratch"] = experiment.network("from scratch", fresh, longer)
    for way, (_, numbers) in made.items():
        experiment.say(f"{experiment.name:<9} {way}: validation error {numbers['validation error %']} %")
    return made


def _step_fractions(model, stepped, subject, done):
    """{layer: the fraction of its remaining filters to remove}, so that each step removes the same factor, and all
    steps together what is removed at once."""
    left = (1 - subject.final) ** done
    now, first = channels(stepped, subject.shape).layers, channels(model, subject.shape).layers
    return {name: 1 - math.floor(len(first[name]) * left + 1e-9) / len(now[name]) for name in subject.layers}
