"""What does retraining after pruning gain? LeNet-300-100 on MNIST, every way with equal epochs, three seeds:
`python -m lightnn bench retraining`.

Each seed has a reference of its own. Every pruned network is trained for EPOCHS more epochs, and so is the control, the
reference with all its weights: what the pruned ones gain beyond it is due to the way of pruning, and what both gain is
due to the epochs. Two ways start over with the survivors of the one-step network, from their first values (Frankle &
Carbin 2019, arXiv 1803.03635) or from new ones, and are trained for as many epochs as reference and retraining
together. Accuracies in % on the validation images, after the last epoch. The chapter on weight pruning shows them.
"""

import copy
import dataclasses
from collections.abc import Callable, Sequence

from lightnn import models, nn
from lightnn.bench.suite import Suite
from lightnn.compress import GradualPruning, set_mask
from lightnn.journal import draws
from lightnn.papers.han2015.curves import layer_fractions, remove_at_random
from lightnn.papers.lab import stage
from lightnn.papers.lab.pruning import prune_to

KEEPS = {"fc1": 0.08, "fc2": 0.09, "fc3": 0.26}  # the proportions of the layers: table 2 of Han et al. 2015
FRACTIONS, SEEDS, EPOCHS, FIRST_EPOCHS = (0.2, 0.08, 0.03), (0, 1, 2), 4, 4
REFERENCE_LR, RETRAINING_LR, BATCHES = 0.1, 0.05, 50


class Trials:
    """The networks of one seed. images: see stage.mnist."""

    def __init__(self, images: stage.Images, seed: int, epochs: int = EPOCHS, first_epochs: int = FIRST_EPOCHS):
        self.images, self.seed, self.epochs, self.first_epochs = images, seed, epochs, first_epochs
        self.untrained = models.lenet_300_100(rng=draws(seed, "initial weights"))
        self.reference = self.trained("reference", self.untrained, first_epochs, REFERENCE_LR)

    def trained(self, name: str, model: nn.Module, epochs: int, lr: float = RETRAINING_LR, after_step=None):
        """A copy of the model, trained; with after_step, which must change the model itself, the model."""
        model = model if after_step else copy.deepcopy(model)
        recipe = dataclasses.replace(stage.recipe(epochs, lr), after_step=after_step)
        stage.fit(model, self.images, draws(self.seed, name), recipe, best=False, progress=False)
        return model

    def one_step(self, keeps):
        return self.trained("one step", self.pruned(self.reference, keeps), self.epochs)

    def iterative(self, keeps):
        """Half the factor, half the epochs, and again."""
        half = {layer: keep**0.5 for layer, keep in keeps.items()}
        model = self.trained("iterative, 1", self.pruned(self.reference, half), self.epochs // 2)
        return self.trained("iterative, 2", self.pruned(model, keeps), self.epochs - self.epochs // 2)

    def gradual(self, keeps):
        """Pruned during the first two thirds of the epochs."""
        model = copy.deepcopy(self.reference)
        steps = -(-len(self.images.training[0]) // stage.BATCH_SIZE) * self.epochs
        targets = [(getattr(model, layer).weight, keep) for layer, keep in keeps.items()]
        pruning = GradualPruning(targets, n=max(steps * 2 // (3 * BATCHES), 1), dt=BATCHES)
        return self.trained("gradual", model, self.epochs, after_step=pruning.step)

    def random(self, keeps):
        model = copy.deepcopy(self.reference)
        remove_at_random(model, keeps, draws(self.seed, "what is kept"))
        return self.trained("random", model, self.epochs)

    def first_values(self, keeps):
        return self.over_again(keeps, self.untrained)

    def drawn_anew(self, keeps):
        return self.over_again(keeps, models.lenet_300_100(rng=draws(self.seed, "new weights")))

    def over_again(self, keeps, start):
        """The survivors of the pruned reference, with the weights of `start`, trained as long as all stages."""
        pruned, model = self.pruned(self.reference, keeps), copy.deepcopy(start)
        for layer in keeps:
            set_mask(getattr(model, layer).weight, getattr(pruned, layer).weight.support.mask)
        return self.trained("over again", model, self.first_epochs + self.epochs, REFERENCE_LR)

    def pruned(self, model, keeps):
        model = copy.deepcopy(model)
        prune_to(model, keeps)
        return model

    def accuracy(self, model: nn.Module) -> float:
        """In %, on the validation images."""
        return round(100 - stage.error(model, self.images.validation), 2)


WAYS = {
    "not retrained": lambda trials, keeps: trials.pruned(trials.reference, keeps),
    "one step": Trials.one_step,
    "iterative": Trials.iterative,
    "gradual": Trials.gradual,
    "random": Trials.random,
    "over again from the first values": Trials.first_values,
    "over again from new values": Trials.drawn_anew,
}


def run(
    fractions: Sequence[float] = FRACTIONS,
    seeds: Sequence[int] = SEEDS,
    make: Callable[[stage.Images, int], Trials] = Trials,
    say: Callable[[str], None] = print,
) -> dict:
    """{"fractions", "seeds", "epochs", "first epochs", "reference": [a number a seed], "control": likewise, "ways":
    {way: [[a number a seed] for each fraction]}}. Prints as it measures."""
    images = stage.mnist()
    found = {"reference": [], "control": [], "ways": {way: [[] for _ in fractions] for way in WAYS}}
    for seed in seeds:
        trials = make(images, seed)
        found["reference"].append(trials.accuracy(trials.reference))
        found["control"].append(trials.accuracy(trials.trained("control", trials.reference, trials.epochs)))
        say(f"seed {seed}: reference {found['reference'][-1]:.2f} %, trained on {found['control'][-1]:.2f} %")
        for i, fraction in enumerate(fractions):
            keeps = layer_fractions(trials.reference, KEEPS, fraction)
            for way, network in WAYS.items():
                accuracy = trials.accuracy(network(trials, keeps))
                found["ways"][way][i].append(accuracy)
                say(f"{fraction:>6.0%} of the weights, {way:<33} {accuracy:6.2f} %")
    how = {"fractions": list(fractions), "seeds": list(seeds)}
    return how | {"epochs": trials.epochs, "first epochs": trials.first_epochs} | found


SUITE = Suite(("retraining",), "what retraining gains, at equal epochs", lambda families: run())
