"""Six ways to search one space of small networks, for the same number of evaluations, from several seeds.

The space is small enough to evaluate all of it: each candidate is trained for a short time on a part of Fashion-MNIST
and timed once. So it is known which candidate is the best, what the true Pareto front is, and what chance achieves.
Every strategy asks the same table of results; what differs is only what it asks for.

The rewards are those on the validation images after the short training. Nothing here says how well a candidate would do
after a long one. The target latency is the median over the space, so that half of the candidates miss it.
"""

import functools
import statistics
import time
from dataclasses import dataclass

import numpy as np

from lightnn import optim, search
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe

STRATEGIES = {
    "random": search.RandomSearch,
    "evolution": search.Evolution,
    "REINFORCE": search.Reinforce,
    "PPO": search.PPO,
    "GP": search.GaussianProcess,
    "TPE": search.TPE,
}
HARD = {"alpha": 0.0, "beta": -1.0}


@dataclass(frozen=True)
class Subject:
    """The space and the searches. count: evaluations of a search."""

    kernels: tuple[int, ...] = (3, 5)
    depths: tuple[int, ...] = (1, 2)
    images: int = 2_000
    validation: int = 1_000
    epochs: int = 3
    count: int = 30
    at_once: int = 5
    seeds: int = 20

    @property
    def recipe(self) -> Recipe:
        return Recipe(self.epochs, 0.01, optim.Adam, 30, optim.CosineLR)


FULL = Subject()
QUICK = Subject(kernels=(3,), depths=(1,), images=200, validation=200, epochs=1, count=6, at_once=2, seeds=3)


def reproduce(session: Session) -> dict:
    """{"images", "epochs", "evaluations", "target ms", "space": [{"name", "accuracy", "ms"}], "front": [indices],
    "rewards": {"soft": {...}, "hard": {...}}, "search", "seconds"}.

    Of each reward {"best": the largest one in the space, "is": its index, "searches": {strategy: {"best": [a number for
    each seed], "curve": [the mean best so far after each evaluation], "against random": points, "interval": [low,
    high]}}}. The interval has the mean difference to random search, seed by seed, with 95 % confidence (a bootstrap).
    DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject = QUICK if session.quick else FULL
    space = search.block_space(kernels=subject.kernels, depths=subject.depths)
    proxy = search.Proxy("fashion_mnist", subject.images, subject.validation, session.seed)
    journal, start, before = session.journal, time.perf_counter(), session.journal.seconds
    with search.Evaluations(
        search.try_architecture, journal.part("space"), workers=1, progress=session.progress
    ) as evaluations:
        measured = search.Measured(space, subject.recipe, proxy, evaluations)
        table = dict(zip(space.all(), measured(space.all())))
    clock = {"evaluations": evaluations.count, "seconds": time.perf_counter() - start}
    clock |= {"evaluating": journal.seconds - before}
    session.say(f"{space.count()} candidates, accuracies up to {max(n['accuracy'] for n in table.values()):.2%}")
    target = statistics.median(n["ms"] for n in table.values())
    rewards = {}
    for name, options in (("soft", {}), ("hard", HARD)):
        reward = functools.partial(search.latency_reward, target=target, **options)
        rewards[name] = journal.step(name, functools.partial(_searches, subject, space, table, reward, session))
    rows = [{"name": space.name_of(c), "accuracy": n["accuracy"], "ms": round(n["ms"], 4)} for c, n in table.items()]
    return {
        "images": subject.images,
        "epochs": subject.epochs,
        "evaluations": subject.count,
        "seeds": subject.seeds,
        "target ms": round(target, 4),
        "space": rows,
        "front": search.pareto_front([r["accuracy"] for r in rows], [r["ms"] for r in rows]),
        "rewards": rewards,
        "search": journal.step("clock", lambda: {key: round(n, 1) for key, n in clock.items()}),
        "seed": session.seed,
        "seconds": journal.seconds,
    }


def _searches(subject, space, table, reward, session):
    """All strategies by one reward, on the table of all candidates."""
    rewards = {c: reward(n["accuracy"], n["ms"]) for c, n in table.items()}
    best = max(rewards, key=rewards.get)
    found, start = {}, time.perf_counter()
    for name, strategy in STRATEGIES.items():
        runs = [_run(subject, space, strategy, rewards, seed) for seed in session.seeds(subject.seeds)]
        curve = np.mean([run.best_so_far() for run in runs], 0)
        found[name] = {"best": [max(run.rewards) for run in runs], "curve": [round(float(v), 4) for v in curve]}
        found[name] |= _against(found[name]["best"], found["random"]["best"], session.seed)
        session.say(f"{name}: best reward {statistics.mean(found[name]['best']):.4f} of {rewards[best]:.4f}")
    number = {"best": rewards[best], "is": list(rewards).index(best), "searches": found}
    return {**number, "seconds of searching": round(time.perf_counter() - start, 2)}


def _run(subject, space, strategy, rewards, seed):
    def evaluate(candidates):
        return [rewards[c] for c in candidates]

    return search.search_space(space, strategy(space), evaluate, subject.count, at_once=subject.at_once, seed=seed)


def _against(own, random, seed):
    """The mean difference to random search over the seeds, and its 95 % interval by a bootstrap of 2000 draws."""
    difference = np.array(own) - random
    rng = np.random.default_rng(seed)
    means = difference[rng.integers(0, len(difference), (2000, len(difference)))].mean(1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {"against random": round(float(difference.mean()), 5), "interval": [round(float(v), 5) for v in (low, high)]}
