"""Figure 5 of Han et al. 2015 (arXiv 1506.02626) on the LeNets: accuracy by the share of weights kept, with L1 and L2
regularisation, with and without retraining, in one step and iteratively; and two curves the paper has not: weights
removed by chance, and gradually during the retraining (Zhu & Gupta 2017, arXiv 1710.01878).

L2 is weight decay; L1 adds strength * sum |w| to the loss. Accuracies are of the validation images, in %, after the
last epoch: no epoch is chosen by them.
"""

import copy
import functools
from dataclasses import dataclass

import numpy as np

from lightnn.compress import GradualPruning, prune_to_share, random_mask, set_mask
from lightnn.papers.lab import stage
from lightnn.papers.lab.journal import draws


@dataclass(frozen=True)
class Curves:
    """shares: of all weights, that are kept. epochs: of retraining for each of them. l1: strength of L1."""

    shares: tuple
    epochs: int
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


def draw_curves(lab, reference, say):
    """{"shares", "epochs", "l1", "curves": {curve: [accuracy in %]}} for the lab's network; reference: the one trained
    with L2. An iterative point goes on from the point before it; a gradual one has as many epochs as the iterative one
    had in all."""
    subject, curves = lab.subject, lab.subject.curves
    l1, _ = lab.network("reference, L1", lab.fresh(), l1=curves.l1, epochs=subject.epochs, lr=subject.lr)
    references, found, model = {"L2": reference, "L1": l1}, {name: [] for name in CURVES}, reference
    for i, share in enumerate(curves.shares, 1):
        keeps = layer_shares(reference, subject.keeps, share)
        for curve, way in ONE_STEP.items():
            found[curve].append(_point(lab, f"{curve}, {share}", _one_step, references, keeps, way))
        prepare = functools.partial(prune_to, keeps=keeps)
        how = {"epochs": curves.epochs, "lr": subject.retrain_lr, "best": False}
        model, numbers = lab.network(f"{ITERATIVE}, {share}", model, prepare, **how)
        found[ITERATIVE].append(round(100 - numbers["validation error %"], 2))
        found[GRADUAL].append(_point(lab, f"{GRADUAL}, {share}", _gradual, reference, keeps, i * curves.epochs))
        say(f"{lab.name:<14} {f'figure 5, {share:.0%}':<16} validation error {numbers['validation error %']:5.2f} %")
    return {"shares": curves.shares, "epochs": curves.epochs, "l1": curves.l1, "curves": found}


def _point(lab, name, experiment, *args):
    """The accuracy in % of one point: experiment(lab, name, *args) gives the network."""

    def work():
        return {"accuracy %": round(100 - stage.error(experiment(lab, name, *args), lab.images.validation), 2)}

    return lab.journal.step(name, work)["accuracy %"]


def _one_step(lab, name, references, keeps, how):
    """Pruned from a reference in one step, and retrained or not."""
    before, after, choose = how
    model, curves = copy.deepcopy(references[before]), lab.subject.curves
    if choose == "chance":
        remove_at_random(model, keeps, draws(lab.seed, f"{name}: what is kept"))
    else:
        prune_to(model, keeps)
    if after:
        how = {"epochs": curves.epochs, "lr": lab.subject.retrain_lr, "best": False}
        lab.fit(name, model, l1=curves.l1 * (after == "L1"), **how)
    return model


def _gradual(lab, name, reference, keeps, epochs):
    """Pruned during the first two thirds of the retraining."""
    model = copy.deepcopy(reference)
    n = -(-len(lab.images.training[0]) // stage.BATCH_SIZE) * epochs * 2 // (3 * BATCHES)
    targets = [(getattr(model, layer).weight, keep) for layer, keep in keeps.items()]
    after_step = GradualPruning(targets, n=max(n, 1), dt=BATCHES).step
    lab.fit(name, model, epochs=epochs, lr=lab.subject.retrain_lr, after_step=after_step, best=False)
    return model


def prune_to(model, keeps):
    """Prune the model's layers by magnitude until each keeps its share of `keeps` = {layer: share of its weights}."""
    for name, keep in keeps.items():
        prune_to_share(getattr(model, name).weight, keep)


def remove_at_random(model, keeps, rng):
    """The same, whatever the weights are."""
    for name, keep in keeps.items():
        p = getattr(model, name).weight
        set_mask(p, random_mask(p, keep, rng))


def layer_shares(model, proportions, share):
    """{layer: share of its weights} in these proportions, none above 1, such that `share` of all weights is kept."""
    sizes = np.array([getattr(model, name).weight.size for name in proportions])
    each = np.array(list(proportions.values()))
    low, high = 0.0, 1 / each.min()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(1, middle * each) @ sizes < share * sizes.sum() else (low, middle)
    return dict(zip(proportions, np.minimum(1, high * each).tolist()))
