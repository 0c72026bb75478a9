"""All orders of up to three techniques on LeNet-5 and MNIST, with controls that are trained as long.

    prune     the smallest weights of each layer become 0 (Han et al. 2015, arXiv 1506.02626)
    share     the weights of a layer share 16 values (Han, Mao & Dally 2016, arXiv 1510.00149)
    quantize  the weights of a layer have 16 evenly spaced values (Esser et al. 2020, arXiv 1902.08153)
    distil    nothing changes but the loss: the reference teaches (Hinton et al. 2015, arXiv 1503.02531)

A network's values are shared or quantized, not both.

A network is named by what was done to it, in order: "prune share" was pruned first. After each technique it is trained
for the same number of epochs, on the same images. So "train train train", to which nothing is done, is the control of
all networks of three techniques, "train" of those of one. Orders with the same beginning share it: 26 trainings make
all. Nothing is chosen by the test images, and no epoch is chosen at all.
"""

import copy
import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

from lightnn import compress, models, nn, training
from lightnn.papers.composition.sizes import sizes
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session

TECHNIQUES, EITHER, MOST = ("prune", "share", "quantize", "distil"), {"share", "quantize"}, 3
CONTROL = "train"
KEEP = {"conv1": 0.5, "conv2": 0.12, "fc1": 0.05, "fc2": 0.2}
BITS, T = 4, 4.0
LR, QUANTIZED_LR = 0.03, 0.01
SHARED_LR = {True: 1e-3, False: 5e-5}  # a shared value gets the sum of its weights' gradients: of fewer, once pruned


@dataclass(frozen=True)
class Subject:
    """How many images, how often the reference sees them and a network after each technique; how many seeds."""

    images: int = 4_000
    reference_epochs: int = 8
    epochs: int = 2
    seeds: int = 3
    make: Callable[..., nn.Module] = models.lenet5


FULL = Subject()
QUICK = Subject(1_000, 2, 1, 1)


def reproduce(session: Session) -> dict:
    """{"images", "reference epochs", "epochs", "keep", "bits", "T", "seeds", "networks": {name: {"error %": [one a
    seed], "bytes": see sizes.py}}, "seconds"}. The reference is "reference"."""
    subject = QUICK if session.quick else FULL
    seeds = session.seeds(subject.seeds)
    each = [_one_seed(subject, session.of_seed(seed)) for seed in seeds]
    networks = {
        name: {key: [one[name][key] for one in each] if key == "error %" else row[key] for key in row}
        for name, row in each[0].items()
    }
    plan = {"images": subject.images, "reference epochs": subject.reference_epochs, "epochs": subject.epochs}
    plan |= {"keep": KEEP, "bits": BITS, "T": T, "seeds": seeds}
    return {**plan, "networks": networks, "seconds": session.journal.seconds}


def orders(techniques: tuple[str, ...] = TECHNIQUES) -> list[tuple[str, ...]]:
    """Every sequence of up to three different techniques, the shorter ones first, and the controls of each length."""
    found, last = [], [()]
    for length in range(1, min(MOST, len(techniques)) + 1):
        longer = [(*done, t) for done in last for t in techniques if t not in done]
        last = [order for order in longer if not EITHER.issubset(order)]
        found += [(CONTROL,) * length, *last]
    return found


def _one_seed(subject, session):
    images = stage.mnist()
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    run = Experiment(f"seed {session.seed}", subject, images, session)
    reference, _ = run.network("reference", run.fresh(), stage.recipe(subject.reference_epochs, 0.05), best=False)
    made, rows = {(): reference}, {"reference": _row(run, "reference", reference)}
    for order in orders():
        name = " ".join(order)
        recipe, prepare = _recipe(subject, order, reference), functools.partial(apply, order[-1])
        made[order], _ = run.network(name, made[order[:-1]], recipe, prepare, best=False)
        rows[name] = _row(run, name, made[order])
    return rows


def _recipe(subject, order, teacher):
    """Shared values are trained slowly, and without decay, as steps are; the teacher is heard when it is its turn, and
    after that."""
    lr = SHARED_LR["prune" in order] if "share" in order else QUANTIZED_LR if "quantize" in order else LR
    recipe = stage.recipe(subject.epochs, lr)
    if not EITHER.isdisjoint(order):
        recipe = dataclasses.replace(recipe, optimizer=stage.without_decay)
    return dataclasses.replace(recipe, loss=training.distil(teacher, T=T)) if "distil" in order else recipe


def apply(technique: str, model: nn.Module) -> None:
    """Do to the network what the technique does before it trains."""
    for name, layer in layers(model).items():
        if technique == "prune":
            compress.prune_to_fraction(layer.weight, KEEP[name])
        elif technique == "share":
            compress.share(layer.weight, bits=BITS)
        elif technique == "quantize":
            compress.use_lsq(layer.weight, bits=BITS)


def layers(model: nn.Module) -> dict[str, nn.Module]:
    return {name: m for name, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}


def _row(run, name, model):
    row = {"error %": run.test(name, model)}
    row |= run.journal.step(f"size of {name}", lambda: sizes(copy.deepcopy(model)))
    kept = " ".join(f"{100 * compress.density(layer.weight):.1f}" for layer in layers(model).values())
    run.say(f"{run.name}  {name:<20} {row['error %']:.2f} %  {row['bytes']['file']:>9,} bytes, kept % {kept}")
    return row
