"""The ablations: networks that differ in one thing, trained by one recipe on the same images in the same order.

blocks.py has the networks of each question and depth.py those of many layers; scaling.py compares ways to spend more
MACs. Nothing is chosen here, so there are no validation images: each
network is tested once, after its last epoch. The trainings are short; what holds for them need not hold for long ones.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from lightnn import data, metrics, nn, optim
from lightnn.journal import Interrupted, draws
from lightnn.papers.ablations import depth, scaling
from lightnn.papers.ablations.blocks import QUESTIONS, Make
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, evaluate, follow

INPUT = (1, 1, 28, 28)


@dataclass(frozen=True)
class Subject:
    """How all networks train. phis: of the compound scaling."""

    images: int = 5_000
    test_images: int = 5_000
    epochs: int = 4
    lr: float = 0.003
    depths: tuple[int, ...] = depth.DEPTHS
    phis: tuple[int, ...] = (0, 1, 2, 3)
    seeds: int = 2

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.epochs, self.lr, optim.Adam, 100, optim.CosineLR)


FULL = Subject()
QUICK = Subject(500, 1_000, 1, depths=(8, 20), phis=(0, 1), seeds=1)


def reproduce(session: Session) -> dict:
    """{"ablations": {"images", "test images", "epochs", "seeds", "questions": {question: {"asks", "equal", "variants":
    {variant: {"parameters", "macs", "accuracy %": [one a seed]}}}}, "depth": see depth.py}, "scaling": see scaling.py}.

    DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject, d = QUICK if session.quick else FULL, data.load_fashion_mnist()
    seeds = session.seeds(subject.seeds)
    train = (d.x_train[: subject.images], d.y_train[: subject.images])
    test = (d.x_test[: subject.test_images], d.y_test[: subject.test_images])
    trainer = Trainer(subject, train, test, session)
    plan = {"images": subject.images, "test images": subject.test_images, "epochs": subject.epochs, "seeds": seeds}
    questions = {
        name: {"asks": q.asks, "equal": q.equal, "variants": trainer.all(name, q.variants, seeds)}
        for name, q in QUESTIONS.items()
    }
    deep = depth.measure(trainer, subject.depths, seeds)
    scaled = {**plan, **scaling.measure(trainer, subject.phis, seeds)}
    found = {**plan, "questions": questions, "depth": deep}
    seconds = {"seconds": session.journal.seconds}  # of both
    return {"ablations": found | seconds, "scaling": scaled | seconds}


@dataclass(frozen=True)
class Trainer:
    """Trains one network after the other; each is a step of the journal."""

    subject: Subject
    train: tuple
    test: tuple
    session: Session

    def all(self, question: str, variants: dict[str, Make], seeds: list[int], prepare: Callable | None = None) -> dict:
        """{variant: {"parameters", "macs", "accuracy %": [one a seed]}}. prepare(x) changes the images."""
        found = {}
        for name, make in variants.items():
            steps = [self.one(f"{question}: {name}", make, seed, prepare) for seed in seeds]
            found[name] = {**steps[0], "accuracy %": [step["accuracy %"] for step in steps]}
        return found

    def one(self, name: str, make: Make, seed: int, prepare: Callable | None = None) -> dict:
        """{"parameters", "macs", "accuracy %"} of the network that make(rng=) gives, trained."""
        work = functools.partial(self._one, name, make, seed, prepare or (lambda x: x))
        found = self.session.journal.step(f"{name}, {seed}", work)
        self.session.say(f"seed {seed}  {name:<40} {found['accuracy %']:6.2f} %  {found['macs'] / 1e6:7.2f} M MACs")
        return found

    def _one(self, name, make, seed, prepare):
        model, (x, y) = make(rng=seed), self.train
        self.fit(model, (prepare(x), y), self.subject.recipe, f"seed {seed}, {name}", seed)
        x, y = prepare(self.test[0]), self.test[1]
        counts = {"parameters": metrics.count_parameters(model), "macs": metrics.count_macs(model, (1, *x.shape[1:]))}
        return {**counts, "accuracy %": round(100 * evaluate(model, x, y, progress=False), 2)}

    def fit(self, model: nn.Module, xy: tuple, recipe: Recipe, name: str, seed: int) -> None:
        """Train the model in place."""
        options = {"rng": draws(seed, "training"), "progress": self.session.progress, "description": name}
        if follow(recipe, model, xy, **options).interrupted:
            raise Interrupted(f"interrupted in '{name}'; the same command continues from here")
