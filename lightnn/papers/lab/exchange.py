"""The experiments on compressed gradients: one network, several codecs, and what workers exchange by each.

    ratio = bytes of the control / bytes of the way,    loss = accuracy of the control - accuracy of the way, in points

LeNet-5 is trained on MNIST by W workers that share each batch (training/parallel.py). They are simulated on one
replica, but every message is encoded, counted and decoded. For a seed, all ways start from the same weights and see the
same images in the same order, for as many steps; so does the control, which exchanges float32. The validation images
choose the best epoch, and the test images are used once for each trained network.
"""

import statistics
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from lightnn import models, nn, optim
from lightnn.journal import Interrupted, draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.tables import text_table
from lightnn.training import GradientCodec, Recipe, Uncompressed, Workers, train_parallel

CONTROL = "uncompressed"
WORKERS, BATCH_SIZE, SEEDS = 4, 128, 3
RATIO, POINTS = 30, 0.3  # the aim: at least this ratio at no more than this loss


@dataclass(frozen=True)
class Way:
    """A codec, and the optimizer of the replicas: one without momentum if the codec has the momentum."""

    codec: Callable[..., GradientCodec]
    optimizer: Callable[..., optim.Optimizer] = stage.without_decay


@dataclass(frozen=True)
class Subject:
    """How long every way trains. images: how many of the training images are used."""

    epochs: int
    images: int
    lr: float = 0.02
    make: Callable[..., nn.Module] = models.lenet5

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return -(-self.images // BATCH_SIZE)

    def recipe(self, way: Way) -> Recipe:
        return Recipe(self.epochs, self.lr, way.optimizer, BATCH_SIZE, schedule=optim.CosineLR)


def measure(subject: Subject, ways: Mapping[str, Way], session: Session) -> dict:
    """The control and every way for SEEDS seeds, or quickly for one, as plain numbers.

    {"workers", "batch size", "images", "epochs", "steps", "lr", "seeds", "ways": {way: {"bytes by epoch": [[a number
    for each epoch] for each seed], "validation accuracy %", "test accuracy %": [a number for each seed]}}}.
    """
    images = stage.mnist()
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    ways, found, seeds = {CONTROL: Way(Uncompressed), **ways}, {}, session.seeds(1 if session.quick else SEEDS)
    for seed in seeds:
        run = Experiment("lenet5", subject, images, session.of_seed(seed))
        for name, way in ways.items():
            for key, number in _one(run, name, way).items():
                found.setdefault(name, {}).setdefault(key, []).append(number)
    plan = {"images": subject.images, "epochs": subject.epochs, "steps": subject.epochs * subject.steps}
    return {"workers": WORKERS, "batch size": BATCH_SIZE, **plan, "lr": subject.lr, "seeds": seeds, "ways": found}


def _one(run, name, way):
    """The numbers of one way for one seed."""
    model, numbers = run.journal.network(name, lambda: _trained(run, name, way))
    numbers = {**numbers, "test accuracy %": round(100 - run.test(name, model), 2)}
    size = sum(numbers["bytes by epoch"]) / (run.subject.epochs * run.subject.steps)
    run.say(f"seed {run.seed}  {name:<20} {size:12,.0f} bytes a step, test accuracy {numbers['test accuracy %']:.2f} %")
    return numbers


def _trained(run, name, way):
    """(network, numbers): the network in the state of its best epoch."""
    model, subject = run.fresh(), run.subject
    with ThreadPoolExecutor(1) as executor:
        history = train_parallel(
            subject.recipe(way),
            model,
            run.images.training,
            workers=Workers(WORKERS, way.codec, run.seed, [executor]),
            validation=run.images.validation,
            rng=draws(run.seed, "order of the images"),
            progress=run.progress,
            description=f"seed {run.seed}: {name}",
        )
    if history.interrupted:
        raise Interrupted(f"interrupted in '{name}'; the same command continues from here")
    sizes = np.reshape(history.step_bytes, (subject.epochs, -1)).sum(1).tolist()
    return model, {"bytes by epoch": sizes, "validation accuracy %": round(100 * max(history.val_accuracy), 2)}


def compare(result: dict, skipped: int = 0) -> dict[str, dict]:
    """{way: {"bytes a step", "bytes", "ratio", "test accuracy %", "loss", "losses", "spread"}} from `measure`.

    All but "losses" are means over the seeds; "bytes" are those of one run. "losses" are in points, one for each seed,
    against the control of the same seed, and "spread" is the largest less the smallest. skipped: how many epochs at
    the start the bytes and the ratio leave out.
    """
    steps = result["steps"] * (result["epochs"] - skipped) // result["epochs"]
    control, rows = result["ways"][CONTROL], {}
    dense = _mean_bytes(control, skipped)
    for name, way in result["ways"].items():
        size, accuracies = _mean_bytes(way, skipped), way["test accuracy %"]
        losses = [round(a - b, 2) for a, b in zip(control["test accuracy %"], accuracies, strict=True)]
        rows[name] = {
            "bytes a step": size / steps,
            "bytes": size,
            "ratio": dense / size,
            "test accuracy %": statistics.mean(accuracies),
            "losses": losses,
            "loss": statistics.mean(losses),
            "spread": max(losses) - min(losses),
        }
    return rows


def _mean_bytes(way, skipped):
    return statistics.mean(sum(sizes[skipped:]) for sizes in way["bytes by epoch"])


def format_comparison(result: dict) -> str:
    """A row for each way, at most 80 columns, and which of them reach the aim."""
    rows, seeds = compare(result), len(result["seeds"])
    table = [
        [
            name,
            f"{row['bytes a step']:,.0f}",
            f"{row['bytes'] / 1e6:,.1f}",
            f"{row['ratio']:.1f} x",
            f"{row['test accuracy %']:.2f}",
            f"{row['loss']:.2f}",
            f"{row['spread']:.2f}",
            "" if name == CONTROL else "yes" if reaches(row) else "no",
        ]
        for name, row in rows.items()
    ]
    caption = (
        f"LeNet-5 on MNIST ({result['images']:,} images), {result['workers']} workers, {result['steps']} steps of "
        f"{result['batch size']}, {seeds} seed{'s' * (seeds != 1)}"
    )
    head = ["", "bytes a step", "MB", "ratio", "test %", "loss", "spread", "aim"]
    return "\n".join([caption, text_table("", head, table), *NOTES])


NOTES = (
    "bytes: encoded messages of all workers, each counted once; MB: of the whole run.",
    "test %: accuracy, mean over the seeds; loss: points against the control of the",
    "same seed, mean; spread: the largest loss less the smallest. aim: a ratio of",
    f"at least {RATIO} and a mean loss of at most {POINTS} points.",
)


def reaches(row: dict) -> bool:
    """Whether a row of `compare` has the ratio and the loss that are the aim."""
    return row["ratio"] >= RATIO and round(row["loss"], 9) <= POINTS
