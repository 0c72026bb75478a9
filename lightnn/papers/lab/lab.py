"""One network's experiment: training stages that are steps of a journal, each with random draws of its own."""

import copy
from dataclasses import dataclass

from lightnn.papers.lab import stage
from lightnn.papers.lab.journal import Journal, draws


@dataclass(frozen=True)
class Lab:
    """What each step of the experiment with one network needs."""

    name: str
    subject: object  # .make(rng=) gives the network, untrained
    images: stage.Images
    journal: Journal
    seed: int
    progress: bool

    def network(self, name, model, prepare=None, **how):
        """(network, numbers) of one step: prepare(a copy of model), then one stage of training with `fit`'s options."""

        def work():
            twin = copy.deepcopy(model)
            if prepare is not None:
                prepare(twin)
            return twin, {"step": name, "validation error %": self.fit(name, twin, **how)}

        return self.journal.network(name, work)

    def fit(self, name, model, *, epochs, lr, l1=0.0, **options):
        """One stage of training, with L2, or with L1 of this strength in its place; the validation error in %.
        options: stage.fit's."""
        return stage.fit(
            model,
            self.images,
            draws(self.seed, name),
            epochs=epochs,
            lr=lr,
            progress=self.progress,
            description=f"{self.name}: {name}",
            **({"weight_decay": 0.0, "loss": stage.l1_loss(model, l1)} if l1 else {}),
            **options,
        )

    def fresh(self):
        """An untrained network, the same at every call."""
        return self.subject.make(rng=draws(self.seed, "initial weights"))
