"""AMC on a small MobileNet V1 and Fashion-MNIST, at half of the MACs.

The trained network is cut by four policies within the same budget: the agent's best, the same fraction everywhere, and
two made by hand, which take more from the first layers or more from the last ones. A fifth is the best of as many
random walks as the agent has episodes, which pass the same action wall: what the agent's learning is worth. All are cut
and fitted in one way. The search sees validation images only, and no policy is trained before it is chosen; then all
are trained for the same epochs, and tested once before and once after.
"""

import functools
import time
from dataclasses import dataclass

from lightnn import data, models, nn, optim, search
from lightnn.journal import draws
from lightnn.papers.lab.session import Session
from lightnn.runtime import lower
from lightnn.training import Recipe, evaluate

SHAPE = (1, 1, 28, 28)
SLOPE = 0.5  # of the policies by hand: the fractions of the first and the last layer differ by so much


@dataclass(frozen=True)
class Subject:
    """The network, its training, and the search."""

    family: str = "mobilenet_v1"
    images: int = 3_000
    validation: int = 1_000
    epochs: int = 5
    later: int = 2  # epochs after the cut
    fraction: float = 0.5
    episodes: int = 100
    warm_up: int = 40
    seeds: int = 3  # of the agent and of the random walks

    def recipe(self, epochs: int, lr: float) -> Recipe:
        return Recipe(epochs, lr, optim.Adam, 50, optim.CosineLR)

    @property
    def plan(self) -> search.AMCPlan:
        agent = search.AgentSettings(warm_up=self.warm_up)
        return search.AMCPlan(self.fraction, self.episodes, agent=agent)


FULL = Subject()
QUICK = Subject(images=400, validation=300, epochs=1, later=1, episodes=12, warm_up=8, seeds=1)


def reproduce(session: Session) -> dict:
    """{"network", "images", "fraction", "episodes", "blocks": {block: units}, "before": {...}, "policies": {name: [a
    dict for each seed]}, "rewards": {"amc": [[a number for each episode] for each seed], "random": ...}, "search",
    "seconds"}.

    A policy's numbers: {"widths", "macs %", "validation %", "test %", "trained test %"}; the first two accuracies are
    those without any training. DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject = QUICK if session.quick else FULL
    proxy, journal = search.Proxy("fashion_mnist", subject.images, subject.validation, session.seed), session.journal
    run = _Run(subject, proxy, session)
    model, _ = journal.network("train", functools.partial(_train, run))
    walk = search.Walk(model, SHAPE, subject.plan)
    found = {"amc": [], "random": [], "uniform": [], "first layers": [], "last layers": []}
    rewards, clock = {"amc": [], "random": []}, {"evaluations": 0, "seconds": 0.0, "in evaluations": 0.0}
    with search.Evaluations(
        search.try_policy, journal.part("policies"), workers=1, progress=session.progress
    ) as evaluations:
        for k in range(subject.seeds):
            for name, best, all_rewards, took in _searches(run, model, evaluations, session.seed + k):
                found[name].append(_numbers(run, model, walk, f"{name} {k}", best))
                rewards[name].append([round(r, 4) for r in all_rewards])
                clock = {key: round(clock[key] + took[key], 1) for key in clock}
    for name, slope in (("uniform", 0.0), ("first layers", SLOPE), ("last layers", -SLOPE)):
        found[name].append(_numbers(run, model, walk, name, search.ramp(walk, slope)))
    plan = {
        "network": f"small {subject.family}",
        "images": subject.images,
        "fraction": subject.fraction,
        "episodes": subject.episodes,
        "epochs after": subject.later,
        "blocks": walk.blocks.widths,
        "before": journal.step("before", lambda: _before(run, model)),
    }
    rest = {"rewards": rewards, "search": clock, "seed": session.seed, "seconds": journal.seconds}
    return {**plan, "policies": found, **rest}


@dataclass(frozen=True)
class _Run:
    subject: Subject
    proxy: search.Proxy
    session: Session


def _train(run):
    model = models.small(run.subject.family, rng=draws(run.proxy.seed, "initial weights"))
    return model, {"accuracy": run.proxy.train(model, run.subject.recipe(run.subject.epochs, 0.003), "train")}


def _before(run, model):
    return {"validation %": _percent(run.proxy.accuracy(model)), "test %": _test(model)}


def _searches(run, model, evaluations, seed):
    """(name, best widths, rewards, clock) of the agent and of random walks, from one seed."""
    proxy = search.Proxy(run.proxy.data, run.proxy.training, run.proxy.validation, seed)
    for name, find in (("amc", search.amc), ("random", search.random_policies)):
        start, before, count = time.perf_counter(), evaluations.seconds, evaluations.count
        policy = find(model, SHAPE, run.subject.plan, proxy, evaluations)
        clock = {"evaluations": evaluations.count - count, "seconds": time.perf_counter() - start}
        clock["in evaluations"] = evaluations.seconds - before
        clock = run.session.journal.step(f"clock of {name} {seed}", functools.partial(dict, clock))
        run.session.say(f"{name}, seed {seed}: {policy!r}")
        yield name, policy.best.widths, [episode.reward for episode in policy.episodes], clock


def _numbers(run, model, walk, name, widths):
    """Of one policy: cut, tested, trained, tested."""
    task = search.policy_task(model, walk.blocks, widths, run.proxy, run.subject.plan.images)

    def work():
        thin = search.cut(task)
        before = {"validation %": _percent(run.proxy.accuracy(thin)), "test %": _test(thin)}
        run.proxy.train(thin, run.subject.recipe(run.subject.later, 0.002), f"train {name}")
        macs = round(100 * walk.blocks.macs(widths) / walk.macs, 2)
        return {"widths": widths, "macs %": macs, **before, "trained test %": _test(thin)}

    numbers = run.session.journal.step(f"policy {name}", work)
    run.session.say(f"{name}: {numbers['validation %']} % at once, {numbers['trained test %']} % trained")
    return numbers


def _test(model: nn.Module) -> float:
    d = data.load_fashion_mnist()
    return _percent(evaluate(lower(model), d.x_test, d.y_test, progress=False))


def _percent(fraction):
    return round(100 * fraction, 2)
