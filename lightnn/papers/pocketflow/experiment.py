"""PocketFlow's frame on LeNet-300-100 and MNIST: a file a twentieth of the size, unattended.

The network is trained, and four optimisers choose, for as many evaluations each, which fraction of each weight stays
and how many bits its shared values have. Nobody says which layer bears what. The best candidate of each is compressed
again, trained for longer, and tested once; one that does not fit the budget has not won, however accurate it is.

The control is the same network trained on for as many epochs as the compressed one, without compression.
"""

import dataclasses
import functools
import time
from dataclasses import dataclass

from lightnn import data, io, models, optim, search
from lightnn.journal import draws
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, evaluate

SHAPE = (1, 1, 28, 28)
OPTIMISERS = {
    "random": search.RandomSearch,
    "GP": search.GaussianProcess,
    "TPE": search.TPE,
    "DDPG": search.AgentStrategy,
}


@dataclass(frozen=True)
class Subject:
    """The training, the searches, the last training. ratio: the file's size to begin with, to the budget."""

    images: int = 55_000
    epochs: int = 6
    search_images: int = 3_000
    validation: int = 2_000
    learners: str = "sparse+shared"
    ratio: float = 20.0
    count: int = 30
    long_epochs: int = 4

    def recipe(self, epochs: int, lr: float) -> Recipe:
        return Recipe(epochs, lr, optim.Adam, 100, optim.CosineLR)


FULL = Subject()
QUICK = Subject(images=3_000, epochs=1, search_images=500, validation=500, count=10, long_epochs=1)


def reproduce(session: Session) -> dict:
    """{"network", "learners", "images", "evaluations", "budget bytes", "before": {"bytes", "test %"}, "control": {"test
    %"}, "found": {optimiser: {"chosen", "reward", "curve", "bytes", "test %"}}, "search", "seconds"}."""
    subject = QUICK if session.quick else FULL
    proxy = search.Proxy("mnist", subject.images, subject.validation, session.seed)
    journal = session.journal
    model, _ = journal.network("train", functools.partial(_train, subject, proxy))
    before = {"bytes": len(io.to_bytes(model)), "test %": journal.step("before", lambda: _test(model))["test %"]}
    goal = search.Goal(subject.learners, int(before["bytes"] / subject.ratio), subject.count, subject.recipe(1, 0.002))
    short = dataclasses.replace(proxy, training=subject.search_images)
    found, start, spent = {}, time.perf_counter(), journal.seconds
    with search.Evaluations(
        search.try_compression, journal.part("tries"), workers=1, progress=session.progress
    ) as evaluations:
        for name, strategy in OPTIMISERS.items():
            found[name] = search.pocketflow(model, SHAPE, goal, strategy, short, evaluations)
            session.say(f"{name}: {found[name]!r}")
    clock = {"evaluations": evaluations.count, "seconds": round(time.perf_counter() - start, 1)}
    clock["in evaluations"] = round(journal.seconds - spent, 1)
    long = dataclasses.replace(goal, recipe=subject.recipe(subject.long_epochs, 0.002))
    numbers = {name: _finish(journal, model, long, run, proxy, name) for name, run in found.items()}
    return {
        "network": "LeNet-300-100",
        "learners": subject.learners,
        "images": subject.images,
        "evaluations": subject.count,
        "ratio": subject.ratio,
        "budget bytes": goal.budget_bytes,
        "before": before,
        "control": journal.step("control", functools.partial(_control, subject, proxy, model)),
        "found": numbers,
        "search": journal.step("clock", lambda: clock),
        "seed": session.seed,
        "seconds": journal.seconds,
    }


def _train(subject, proxy):
    model = models.lenet_300_100(rng=draws(proxy.seed, "initial weights"))
    return model, {"accuracy": proxy.train(model, subject.recipe(subject.epochs, 0.002), "train")}


def _test(model):
    d = data.load_mnist()
    return {"test %": round(100 * evaluate(model, d.x_test, d.y_test, progress=False), 2)}


def _finish(journal, model, goal, found, proxy, name):
    """The best candidate, compressed with longer trainings: one step."""

    def work():
        task = search.compression_task(model, SHAPE, goal, found.space, found.best, proxy)
        small = search.compressed(task)
        return {"bytes": len(io.to_bytes(small)), **_test(small)}

    chosen = found.space.choices(found.best)
    curve = [round(reward, 4) for reward in found.best_so_far()]
    return {"chosen": chosen, "reward": round(max(found.rewards), 4), "curve": curve} | journal.step(
        f"best of {name}", work
    )


def _control(subject, proxy, model):
    twin = io.from_bytes(io.to_train_bytes(model))
    epochs = subject.long_epochs * len(search.pipeline(subject.learners))
    proxy.train(twin, subject.recipe(epochs, 0.002), "control")
    return _test(twin)
