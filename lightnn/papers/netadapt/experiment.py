"""NetAdapt on a small MobileNet V1 and Fashion-MNIST, by latencies measured on this machine.

The network is trained, a table of its layers' latencies is measured, and NetAdapt narrows it to several fractions of
its latency. The control narrows all blocks by one factor (a width multiplier), keeps the filters with the largest
norms of the same trained network, and is trained for as many epochs as NetAdapt's network in all: the short trainings
of its iterations, and the long one. Both are then timed as whole networks, in turn, and tested once.

Uniform scaling has points at other latencies than NetAdapt; what it would have at NetAdapt's is read off the straight
lines between its points. The table's error is that at random widths.
"""

import dataclasses
import functools
import math
import time
from dataclasses import dataclass

import numpy as np

from lightnn import data, metrics, models, optim, search
from lightnn.journal import draws
from lightnn.kernels.parallel import get_num_threads
from lightnn.papers.lab.session import Session
from lightnn.runtime import lower
from lightnn.search.pace import Pace
from lightnn.training import Recipe, evaluate

TEST, BATCH = 10_000, 50
RANDOM = 8  # random widths at which the table is checked


@dataclass(frozen=True)
class Subject:
    """The network, how it is trained, and the fractions of its latency that are aimed at. batch: the images whose
    latency is measured; one image takes 0.06 ms, too little to tell widths apart."""

    family: str = "mobilenet_v1"
    width_mult: float = 1.0
    batch: int = 16
    images: int = 3_000
    short_images: int = 1_000
    validation: int = 1_000
    epochs: int = 5
    long_epochs: int = 3
    budgets: tuple[float, ...] = (0.7, 0.5)
    ratio: float = 0.05
    factors: tuple[float, ...] = (0.8, 0.65, 0.5, 0.45, 0.4)  # of the latency, that uniform scaling aims at

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.batch, 1, 28, 28)

    def recipe(self, epochs: int, lr: float = 0.002) -> Recipe:
        return Recipe(epochs, lr, optim.Adam, BATCH, optim.CosineLR)

    @property
    def plan(self) -> search.NetAdaptPlan:
        short = Recipe(1, 0.002, optim.Adam, BATCH)
        long = self.recipe(self.long_epochs)
        return search.NetAdaptPlan(short, long, ratio=self.ratio, long_images=self.images)


FULL = Subject()
QUICK = Subject(images=500, validation=500, epochs=1, long_epochs=1, budgets=(0.8,), ratio=0.15, factors=(0.9, 0.7))


def reproduce(session: Session) -> dict:
    """{"network", "batch", "images", "threads", "before": {...}, "netadapt": {budget: {...}}, "uniform": {factor:
    {...}}, "gains": {budget: points}, "table": {"predicted ms", "measured ms", "median error %", "largest error %"},
    "search": {"evaluations", "seconds", "training"}, "seconds"}.

    A network's numbers: {"widths", "macs", "parameters", "predicted ms", "ms", "validation %", "test %"}; NetAdapt's
    have "iterations", too. gains: NetAdapt's test accuracy less that of uniform scaling at the same measured latency.
    "table" is at random widths. DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject = QUICK if session.quick else FULL
    proxy, journal = search.Proxy("fashion_mnist", subject.images, subject.validation, session.seed), session.journal
    run = _Run(subject, proxy, session)
    reference, _ = journal.network("train", functools.partial(_train, run))
    table = search.kept_table(journal, reference, subject.shape, session.progress)
    session.say(f"table of {len(table.kinds)} kinds of layers")
    blocks = search.Blocks(reference, subject.shape)
    networks = {"before": (reference, blocks.widths)}
    adapted, clock = _adapt(run, reference, table)
    networks |= {f"netadapt {b}": (a.model, a.widths) for b, a in adapted.items()}
    short = max(len(a.iterations) for a in adapted.values()) * subject.short_images / subject.images
    epochs = math.ceil(short) + subject.long_epochs
    networks |= _uniform(run, reference, table, epochs)
    numbers = journal.step("measure", functools.partial(_measure, run, table, networks, reference))
    found = {"before": numbers["before"], "netadapt": {}, "uniform": {}}
    for b, a in adapted.items():
        found["netadapt"][str(b)] = {**numbers[f"netadapt {b}"], "iterations": _iterations(a)}
    found["uniform"] = {name.split()[1]: row for name, row in numbers.items() if name.startswith("uniform")}
    error = journal.step("error of the table", functools.partial(_error, run, table, reference))
    plan = {
        "network": f"small {subject.family}",
        "batch": subject.batch,
        "images": subject.images,
        "threads": get_num_threads(),
        "epochs of uniform scaling": epochs,
    }
    rest = {"table": error, "gains": gains(found), "search": clock, "seed": session.seed, "seconds": journal.seconds}
    return {**plan, **found, **rest}


@dataclass(frozen=True)
class _Run:
    subject: Subject
    proxy: search.Proxy
    session: Session


def _train(run):
    model = models.small(run.subject.family, run.subject.width_mult, rng=draws(run.proxy.seed, "initial weights"))
    return model, {"accuracy": run.proxy.train(model, run.subject.recipe(run.subject.epochs, 0.003), "train")}


def _adapt(run, model, table):
    """({budget: Adapted}, what the search took): each budget continues on the way to the one before."""
    blocks = search.Blocks(model, run.subject.shape)
    first, found = table.predict(blocks, blocks.widths), {}

    short, session = dataclasses.replace(run.proxy, training=run.subject.short_images), run.session
    journal = session.journal.part("netadapt")
    start, before = time.perf_counter(), journal.seconds
    with search.Evaluations(search.try_proposal, journal, workers=1, progress=session.progress) as evaluations:
        for budget in run.subject.budgets:
            goal = run.subject.shape, table.predict, budget * first, run.subject.plan
            found[budget] = search.netadapt(model, *goal, short, evaluations)
            session.say(f"NetAdapt to {budget}: {found[budget]!r}")
    total, training = time.perf_counter() - start, journal.seconds - before
    clock = {"evaluations": evaluations.count, "seconds": round(total, 1), "training": round(training, 1)}
    return found, session.journal.step("clock", lambda: clock)


def _uniform(run, model, table, epochs):
    """{name: (network, widths)}: all blocks narrowed by one factor, trained as long as NetAdapt's networks. A factor
    that the narrowest network does not reach is left out."""
    blocks, networks = search.Blocks(model, run.subject.shape), {}
    first = table.predict(blocks, blocks.widths)
    recipe = run.subject.recipe(epochs)
    for factor in run.subject.factors:
        name = f"uniform {factor}"
        try:
            widths = search.uniform_widths(blocks, table.predict, factor * first, step=4)
        except ValueError as error:
            run.session.say(f"{name} is left out: {error}")
            continue
        thin = blocks.thin(model, widths)
        trained, _ = search.finished(thin, recipe, run.proxy, run.session.journal, name)
        networks[name] = trained, widths
    return networks


def _measure(run, table, networks, reference):
    """The numbers of all networks, timed in turn."""
    blocks = search.Blocks(reference, run.subject.shape)
    test = data.load_fashion_mnist()
    x, y = test.x_test[:TEST], test.y_test[:TEST]
    times = search.whole_ms({n: m for n, (m, _) in networks.items()}, run.subject.shape, Pace(table.reference_ms), 100)
    found = {}
    for name, (model, widths) in networks.items():
        found[name] = {
            "widths": widths,
            "macs": metrics.count_macs(model, (1, *run.subject.shape[1:])),
            "parameters": metrics.count_parameters(model),
            "predicted ms": round(table.predict(blocks, widths), 4),
            "ms": round(times[name], 4),
            "validation %": round(100 * run.proxy.accuracy(model), 2),
            "test %": round(100 * evaluate(lower(model), x, y, progress=False), 2),
        }
    return found


def _error(run, table, model):
    rng, blocks = draws(run.proxy.seed, "random widths"), search.Blocks(model, run.subject.shape)
    few = [
        {b: 8 * int(rng.integers(max(1, n // 24), n // 8 + 1)) for b, n in blocks.widths.items()} for _ in range(RANDOM)
    ]
    return search.table_error(table, model, few, run.subject.shape)


def _iterations(adapted):
    rows = [dataclasses.asdict(i) for i in adapted.iterations]
    for row in rows:
        row |= {"target": round(row["target"], 4), "cost": round(row["cost"], 4)}
    return rows


def gains(found: dict) -> dict:
    """{budget: points of test accuracy that NetAdapt has more than uniform scaling at the same measured latency}; None
    beyond the ends of the uniform curve, which begins at the network before."""
    points = sorted((row["ms"], row["test %"]) for row in (found["before"], *found["uniform"].values()))
    ms, accuracy = np.transpose(points)
    return {
        b: round(row["test %"] - float(np.interp(row["ms"], ms, accuracy)), 2) if ms[0] <= row["ms"] <= ms[-1] else None
        for b, row in found["netadapt"].items()
    }
