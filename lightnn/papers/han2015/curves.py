"""Figure 5 of Han et al. 2015 (arXiv 1506.02626) on the LeNets: accuracy against the fraction of weights kept, with L1
and L2 regularisation, with and without retraining, in one step and iteratively. Two curves are not in the paper:
weights removed at random, and gradually during the retraining (Zhu & Gupta 2017, arXiv 1710.01878).

L2 is weight decay; L1 adds strength * sum |w| to the loss. Accuracies are measured on the validation images, in %,
after the last epoch: no epoch is chosen by them.
"""

import copy
import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lightnn import nn
from lightnn.compress import GradualPruning, random_mask, set_mask
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.pruning import prune_to
from lightnn.training import Recipe


@dataclass(frozen=True)
class Curves:
    """fractions: of all weights, that are kept. retraining: for each of them. l1: strength of L1."""

    fractions: tuple[float, ...]
    retraining: Recipe
    l1: float


ONE_STEP = {  # curve: (regularisation of the reference, of the retraining or None for none, how weights are chosen)
    "L2, no retraining": ("L2", None, "magnitude"),
    "L1, no retraining": ("L1", None, "magnitude"),
    "L1, retrained with L1": ("L1", "L1", "magnitude"),
    "L1, retrained with L2": ("L1", "L2", "magnitude"),
    "L2, retrained with L2": ("L2", "L2", "magnitude"),
    "random, retrained": ("L2", "L2", "chance"),
}
ITERATIVE, GRADUAL = "L2, iterative", "L2, gradual"
CURVES = (*ONE_STEP, ITERATIVE, GRADUAL)
BATCHES = 50  # from one gradual pruning to the next


def draw_curves(experiment: Experiment, reference: nn.Module) -> dict:
    """{"fractions", "epochs", "l1", "curves": {curve: [accuracy in %]}}; reference: the network trained with L2.

    An iterative point continues from the point before it. A gradual point is trained for as many epochs as the
    iterative one in total.
    """
    curves, found, model = experiment.subject.curves, {name: [] for name in CURVES}, reference
    l1, _ = experiment.network("reference, L1", experiment.fresh(), experiment.subject.training, l1=curves.l1)
    references = {"L2": reference, "L1": l1}
    for i, fraction in enumerate(curves.fractions, 1):
        keeps = layer_fractions(reference, experiment.subject.keeps, fraction)
        for curve, way in ONE_STEP.items():
            found[curve].append(_point(experiment, f"{curve}, {fraction}", _one_step, references, keeps, way))
        prepare = functools.partial(prune_to, keeps=keeps)
        model, numbers = experiment.network(f"{ITERATIVE}, {fraction}", model, curves.retraining, prepare, best=False)
        error = numbers["validation error %"]
        found[ITERATIVE].append(round(100 - error, 2))
        gradual = dataclasses.replace(curves.retraining, epochs=i * curves.retraining.epochs)
        found[GRADUAL].append(_point(experiment, f"{GRADUAL}, {fraction}", _gradual, reference, keeps, gradual))
        experiment.say(f"{experiment.name:<14} {f'figure 5, {fraction:.0%}':<16} validation error {error:5.2f} %")
    return {"fractions": curves.fractions, "epochs": curves.retraining.epochs, "l1": curves.l1, "curves": found}


def _point(experiment, name, make, *args):
    """The accuracy in % of one point: make(experiment, name, *args) returns its network."""

    def work():
        model = make(experiment, name, *args)
        return {"accuracy %": round(100 - stage.error(model, experiment.images.validation), 2)}

    return experiment.journal.step(name, work)["accuracy %"]


def _one_step(experiment, name, references, keeps, way):
    """Pruned from a reference in one step, and retrained or not."""
    before, after, choose = way
    model, curves = copy.deepcopy(references[before]), experiment.subject.curves
    if choose == "chance":
        remove_at_random(model, keeps, draws(experiment.seed, f"{name}: what is kept"))
    else:
        prune_to(model, keeps)
    if after:
        experiment.fit(name, model, curves.retraining, best=False, l1=curves.l1 * (after == "L1"))
    return model


def _gradual(experiment, name, reference, keeps, recipe):
    """Pruned during the first two thirds of the retraining."""
    model = copy.deepcopy(reference)
    steps = -(-len(experiment.images.training[0]) // recipe.batch_size) * recipe.epochs
    targets = [(getattr(model, layer).weight, keep) for layer, keep in keeps.items()]
    pruning = GradualPruning(targets, n=max(steps * 2 // (3 * BATCHES), 1), dt=BATCHES)
    experiment.fit(name, model, dataclasses.replace(recipe, after_step=pruning.step), best=False)
    return model


def remove_at_random(model: nn.Module, keeps: Mapping[str, float], rng: np.random.Generator) -> None:
    """As `prune_to`, but the weights to keep are drawn at random, whatever their values."""
    for name, keep in keeps.items():
        p = getattr(model, name).weight
        set_mask(p, random_mask(p, keep, rng))


def layer_fractions(model: nn.Module, proportions: Mapping[str, float], fraction: float) -> dict[str, float]:
    """{layer: the fraction of its weights to keep} in these proportions, at most 1 each, such that `fraction` of all
    weights is kept."""
    sizes = np.array([getattr(model, name).weight.size for name in proportions])
    each = np.array(list(proportions.values()))
    low, high = 0.0, 1 / each.min()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1, middle * each) @ sizes < fraction * sizes.sum() else (low, middle)
    return dict(zip(proportions, np.minimum(1, high * each).tolist()))
