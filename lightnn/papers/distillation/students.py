"""A student, trained once for each seed."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightnn import functional as F
from lightnn import nn, optim
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.networks import mlp
from lightnn.training import FeatureStudent, Recipe, predict

BATCH_SIZE = 50
__all__ = ["Student", "errors", "measured", "mlp", "told", "trained"]


@dataclass(frozen=True)
class Student:
    """How one is trained. make(rng=) gives the network; epochs: those of the Subject if None; wrap(network) gives a
    FeatureStudent, whose loss then takes the place of `loss`."""

    make: Callable[..., nn.Module]
    loss: Callable = F.cross_entropy
    epochs: int | None = None
    augment: Callable | None = None
    wrap: Callable[[nn.Module], FeatureStudent] | None = None


def trained(run: Experiment, name: str, how: Student, i: int) -> nn.Module:
    """The student of seed i, trained."""
    model = how.make(rng=draws(run.seed, f"weights {i}"))
    net = model if how.wrap is None else how.wrap(model)
    loss = how.loss if how.wrap is None else net.loss
    epochs = run.subject.epochs if how.epochs is None else how.epochs
    recipe = Recipe(epochs, run.subject.lr, stage.without_decay, BATCH_SIZE, optim.CosineLR, loss, how.augment)
    options = {"progress": run.progress, "description": f"{name}, seed {i}"}
    stage.fit_and_tell(net, run.images, draws(run.seed, f"order {i}"), recipe, best=False, **options)
    return model


def errors(run: Experiment, model: nn.Module) -> dict[str, int]:
    """{"validation errors", "test errors"}: numbers of images."""
    parts = {"validation": run.images.validation, "test": run.images.test}
    return {f"{part} errors": int((predict(model, x).argmax(1) != y).sum()) for part, (x, y) in parts.items()}


def measured(run: Experiment, name: str, how: Student) -> dict[str, list[int]]:
    """{"validation errors": [one a seed], "test errors"} of a row of students."""
    works = [lambda i=i: errors(run, trained(run, name, how, i)) for i in range(run.subject.seeds)]
    return told(run, name, [run.journal.step(f"{name}, {i}", work) for i, work in enumerate(works)])


def told(run: Experiment, name: str, rows: list[dict]) -> dict[str, list[int]]:
    """The rows of all seeds as one, which is printed."""
    found = {key: [row[key] for row in rows] for key in rows[0]}
    run.say(f"{name:<44}{np.mean(found['test errors']):>8.1f} test errors")
    return found
