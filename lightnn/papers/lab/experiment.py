"""One network's experiment: training stages that are steps of a journal, each with random draws of its own."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

from lightnn import nn
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session
from lightnn.training.recipe import Recipe


@dataclass(frozen=True)
class Experiment:
    """What each step of an experiment with one network needs.

    subject.make(rng=) makes the untrained network. journal, seed, progress and say are the session's.
    """

    name: str
    subject: object
    images: stage.Images
    session: Session

    journal = property(lambda self: self.session.journal)
    seed = property(lambda self: self.session.seed)
    progress = property(lambda self: self.session.progress)
    say = property(lambda self: self.session.say)

    def network(
        self,
        name: str,
        model: nn.Module,
        recipe: Recipe,
        prepare: Callable[[nn.Module], object] | None = None,
        best: bool = True,
        l1: float = 0.0,
    ) -> tuple[nn.Module, dict]:
        """One step: prepare(a copy of the model), then `fit` that copy. Returns (network, numbers)."""

        def work():
            twin = copy.deepcopy(model)
            if prepare is not None:
                prepare(twin)
            return twin, {"step": name, "validation error %": self.fit(name, twin, recipe, best, l1)}

        return self.journal.network(name, work)

    def fit(self, name: str, model: nn.Module, recipe: Recipe, best: bool = True, l1: float = 0.0) -> float:
        """Train the model in one stage, in place. Returns its error on the validation images in %.

        l1: strength of L1 regularisation, which then takes the place of weight decay.
        """
        recipe = stage.with_l1(recipe, model, l1) if l1 else recipe
        options = {"progress": self.progress, "description": f"{self.name}: {name}"}
        return stage.fit(model, self.images, draws(self.seed, name), recipe, best=best, **options)

    def fresh(self) -> nn.Module:
        """An untrained network, the same at every call."""
        return self.subject.make(rng=draws(self.seed, "initial weights"))

    def test(self, what: str, model: nn.Module) -> float:
        """One step: the model's error on the test images, in %. what: the model's name in the journal."""
        return self.journal.step(f"test {what}", lambda: {"error %": stage.error(model, self.images.test)})["error %"]
