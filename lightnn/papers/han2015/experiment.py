"""Weight pruning of the two LeNets (Han, Pool, Tran & Dally 2015, arXiv 1506.02626, tables 1 to 3, figures 5 and 6).

`reproduce` is the experiment: train a reference, prune and retrain it in steps down to the paper's share of each layer,
and count; then the curves of figure 5 (han2015_curves.py) and how much each layer bears alone. The paper's numbers and
its way of counting are in han2015_tables.py.
"""

import functools
from dataclasses import dataclass

from lightnn import models
from lightnn.compress import sensitivity
from lightnn.papers.han2015.curves import Curves, draw_curves, prune_to
from lightnn.papers.han2015.tables import count_layers, count_network, format_tables
from lightnn.papers.lab import stage
from lightnn.papers.lab.lab import Lab
from lightnn.training.loop import evaluate

__all__ = ["FULL", "QUICK", "Subject", "format_tables", "prune_to", "reproduce"]

SENSITIVITY = (1.0, 0.5, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02)


@dataclass(frozen=True)
class Subject:
    """A network of the paper and how it is trained and pruned; all chosen on the validation images.

    keeps: the share of its weights that each layer keeps in the end. retrain_epochs: one number for each pruning step;
    each step removes the same factor. The paper retrains with 1/10 of the learning rate; ours is larger, because it
    falls to 0 within each stage. curves: None for no figure 5.
    """

    make: object
    keeps: dict
    epochs: int
    lr: float
    retrain_epochs: tuple
    retrain_lr: float
    curves: Curves | None


FULL = {
    "lenet_300_100": Subject(
        models.lenet_300_100,
        {"fc1": 0.08, "fc2": 0.09, "fc3": 0.26},
        epochs=15,
        lr=0.1,
        retrain_epochs=(5, 5, 20),
        retrain_lr=0.05,
        curves=Curves(shares=(0.5, 0.3, 0.2, 0.12, 0.08, 0.05, 0.03, 0.02), epochs=3, l1=3e-5),
    ),
    # The paper prints 8 % for fc1, rounded: at 7.7 % the network with its biases is 12.1 times smaller, at 8 % 11.7.
    "lenet5": Subject(
        models.lenet5,
        {"conv1": 0.66, "conv2": 0.12, "fc1": 0.077, "fc2": 0.19},
        epochs=10,
        lr=0.05,
        retrain_epochs=(3, 3, 10),
        retrain_lr=0.03,
        curves=Curves(shares=(0.2, 0.08, 0.03), epochs=1, l1=3e-5),
    ),
}
QUICK = {
    "lenet_300_100": Subject(
        models.lenet_300_100,
        FULL["lenet_300_100"].keeps,
        epochs=3,
        lr=0.1,
        retrain_epochs=(1, 3),
        retrain_lr=0.05,
        curves=Curves(shares=(0.2, 0.08, 0.03), epochs=1, l1=3e-5),
    ),
    "lenet5": Subject(
        models.lenet5,
        FULL["lenet5"].keeps,
        epochs=1,
        lr=0.05,
        retrain_epochs=(1, 1),
        retrain_lr=0.03,
        curves=None,
    ),
}


def reproduce(journal, seed=0, quick=False, progress=True, say=print):
    """Tables 1 to 3 and figures 5 and 6 on the two LeNets, as plain numbers: {"networks": {name: ...}, "seconds"}.

    say: called with a line after each step.
    """
    images, networks = stage.mnist(), {}
    for name, subject in (QUICK if quick else FULL).items():
        lab = Lab(name, subject, images, journal.part(name), seed, progress)
        networks[name] = _experiment(lab, say)
    return {"networks": networks, "seconds": journal.seconds}


def _experiment(lab, say):
    """Everything about one network."""
    subject, steps = lab.subject, []
    model, numbers = lab.network("reference", lab.fresh(), epochs=subject.epochs, lr=subject.lr)
    _told(numbers, steps, lab, say)
    reference = lab.journal.step("test the reference", functools.partial(_test, lab, model))
    found = {"sensitivity": lab.journal.step("sensitivity", functools.partial(_sensitivity, lab, model))}
    if subject.curves is not None:
        found["figure 5"] = draw_curves(lab, model, say)
    for i, epochs in enumerate(subject.retrain_epochs, 1):
        keeps = {layer: keep ** (i / len(subject.retrain_epochs)) for layer, keep in subject.keeps.items()}
        prepare = functools.partial(prune_to, keeps=keeps)
        model, numbers = lab.network(f"prune, step {i}", model, prepare, epochs=epochs, lr=subject.retrain_lr)
        _told(numbers, steps, lab, say)
    pruned = lab.journal.step("test the pruned network", functools.partial(_test, lab, model))
    counted = lab.journal.step("count", lambda: count_layers(model, subject.keeps, lab.images.validation[0]))
    errors = {"reference error %": reference["error %"], "pruned error %": pruned["error %"]}
    return {**errors, **count_network(model, subject.keeps), "steps": steps, "layers": counted, **found}


def _told(numbers, steps, lab, say):
    steps.append(numbers)
    say(f"{lab.name:<14} {numbers['step']:<16} validation error {numbers['validation error %']:5.2f} %")


def _test(lab, model):
    return {"error %": stage.error(model, lab.images.test)}


def _sensitivity(lab, model):
    """Figure 6: each layer pruned alone, without retraining; accuracies on the validation images, in %."""
    weights = {name: getattr(model, name).weight for name in lab.subject.keeps}
    curves = sensitivity(
        model, weights, lambda m: 100 * evaluate(m, *lab.images.validation, progress=False), SENSITIVITY
    )
    return {"shares": SENSITIVITY, "accuracy %": curves}
