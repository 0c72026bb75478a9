"""Deep Compression of the two LeNets (Han, Mao & Dally, ICLR 2016, arXiv 1510.00149, section 4.1 and tables 1 to 3).

`compress_network` is the experiment: train, prune and retrain in steps, share weights and tune the centres, write the
file. The paper's tables and its way of counting are in tables.py.
"""

import dataclasses
import functools
import os
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lightnn import io, models, nn
from lightnn.compress import adjust_dropout, density, share
from lightnn.compress.finite import check_finite
from lightnn.journal import Interrupted, draws
from lightnn.papers.deep_compression.tables import count_layers
from lightnn.papers.lab import stage
from lightnn.papers.lab.pruning import prune_to
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, evaluate


@dataclass(frozen=True)
class Pipeline:
    """The choices of the experiment, all made on the validation images.

    keep: for each pruning step, the fraction of fc1's weights that stay. retraining: a recipe for each of these steps.
    bits: of the codes of each layer, and last of the biases. tuning: of the centres.
    """

    training: Recipe
    keep: tuple[float, ...]
    retraining: tuple[Recipe, ...]
    bits: tuple[int, ...]
    tuning: Recipe
    dropout: float = 0.0


@dataclass(frozen=True)
class Subject:
    """A network of the paper, and how it is compressed.

    relative: {layer: the fraction of its weights that it keeps, in units of `keep`}, from the sensitivity scan.
    dropouts: {dropout module: the layer whose connections set its rate}.
    """

    make: Callable[..., nn.Module]
    parameters: int
    relative: Mapping[str, float]
    dropouts: Mapping[str, str]
    full: Pipeline
    quick: Pipeline


def retraining(lr: float, *epochs: int) -> tuple[Recipe, ...]:
    """One recipe for each pruning step."""
    return tuple(stage.recipe(n, lr) for n in epochs)


def tuning(epochs: int) -> Recipe:
    """How the shared values are trained: a small learning rate, no weight decay."""
    return dataclasses.replace(stage.recipe(epochs, lr=1e-3), optimizer=stage.without_decay)


SUBJECTS = {
    "lenet_300_100": Subject(
        models.lenet_300_100,
        266_610,
        {"fc1": 1, "fc2": 2, "fc3": 6},
        {"dropout1": "fc1", "dropout2": "fc2"},
        full=Pipeline(stage.recipe(15, lr=0.1), (0.25, 0.1, 0.05), retraining(0.05, 5, 5, 30), (4, 4, 4, 4), tuning(5)),
        quick=Pipeline(stage.recipe(5, lr=0.1), (0.2, 0.08), retraining(0.05, 2, 5), (4, 4, 4, 4), tuning(1)),
    ),
    "lenet5": Subject(
        models.lenet5,
        431_080,
        {"conv1": 14, "conv2": 3, "fc1": 1, "fc2": 5},
        {"dropout": "fc1"},
        full=Pipeline(
            stage.recipe(10, lr=0.05), (0.15, 0.06, 0.03), retraining(0.03, 3, 3, 12), (5, 4, 4, 4, 4), tuning(3)
        ),
        quick=Pipeline(stage.recipe(2, lr=0.05), (0.15, 0.06), retraining(0.03, 1, 2), (5, 4, 4, 4, 4), tuning(1)),
    ),
}


@dataclass(frozen=True)
class Stage:
    """What is done to the model before it is trained, prepare(model), and how it is trained."""

    name: str
    prepare: Callable[[nn.Module], object]
    recipe: Recipe


def stages_of(pipeline: Pipeline) -> list[Stage]:
    """The Stages of the experiment, in order."""
    prune = [
        Stage(f"prune to {keep:.0%} of fc1, retrain", functools.partial(prune_layers, keep=keep), recipe)
        for keep, recipe in zip(pipeline.keep, pipeline.retraining, strict=True)
    ]
    tune = functools.partial(share_layers, bits=pipeline.bits)
    return [
        Stage("train the reference", lambda model: None, pipeline.training),
        *prune,
        Stage("share weights, tune the centres", tune, pipeline.tuning),
    ]


def compress_network(name: str, path: str | os.PathLike, pipeline: Pipeline, session: Session) -> dict:
    """Compress a network of SUBJECTS on MNIST and write it to path. Returns the results, a dict of plain numbers.

    The validation images pick the best epoch of each stage; the test images are used for the reference and for the
    loaded file. Ctrl-C writes the network as it is then.
    """
    images, seed, journal = stage.mnist(), session.seed, session.journal
    model, stages = SUBJECTS[name].make(dropout=pipeline.dropout, rng=draws(seed, "initial weights")), []
    for each in stages_of(pipeline):
        train = functools.partial(stage.fit, images=images, rng=draws(seed, each.name), progress=session.progress)
        step = functools.partial(_run, each, model, path, pipeline.dropout, train)
        model, numbers = journal.network(each.name, step)
        stages.append({**numbers, "size_bytes": io.save(model, path)})
        line = "{stage:<34} validation error {validation error %:5.2f} %  {size_bytes:>9,} bytes"
        session.say(line.format(**stages[-1]))
        if len(stages) == 1:
            reference = journal.step("test the reference", functools.partial(_test, model, images))["accuracy"]
    with tempfile.TemporaryDirectory() as folder:  # its own copy: nothing else writes there
        own = os.path.join(folder, "own.lnn")
        io.save(model, own)
        loaded = journal.step("test the file", functools.partial(_test, io.load(own), images))["accuracy"]
        return {"stages": stages, **results(model, own, reference, loaded, sum(each["seconds"] for each in stages))}


def _run(each, model, path, dropout, train):
    """Do one Stage: (model, its numbers). train: `stage.fit` with the images and the random draws."""
    start = time.perf_counter()
    each.prepare(model)
    set_dropouts(model, dropout)
    try:
        error = train(model, recipe=each.recipe, description=each.name)
    except Interrupted as interrupted:
        io.save(model, path)
        raise Interrupted(f"{interrupted}; {path} holds the network as it was then") from None
    return model, {"stage": each.name, "validation error %": error, "seconds": time.perf_counter() - start}


def _test(model, images):
    return {"accuracy": evaluate(model, *images.test, progress=False)}


def reproduce(session: Session) -> dict:
    """Tables 1 to 3 of the paper, from the experiment with both LeNets: {"networks": {name: results}}."""
    networks = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, subject in SUBJECTS.items():
            session.say(f"{name}:")
            pipeline, path = subject.quick if session.quick else subject.full, os.path.join(folder, f"{name}.lnn")
            networks[name] = compress_network(name, path, pipeline, session.part(name))
    return {"networks": networks}


def records(result: dict) -> dict[str, dict]:
    """The files that hold a result of `reproduce`: {file name: its numbers}."""
    return {f"deep_compression_{name}.json": numbers for name, numbers in result["networks"].items()}


def subject_of(model: nn.Module) -> Subject:
    """The Subject that this network belongs to."""
    return SUBJECTS[model.architecture["type"]]


def prune_layers(model: nn.Module, keep: float) -> None:
    """One pruning step: fc1 keeps the fraction `keep` of its weights, the other layers the more that they need."""
    prune_to(model, {name: min(1.0, relative * keep) for name, relative in subject_of(model).relative.items()})


def set_dropouts(model: nn.Module, dropout: float) -> None:
    """Set the rate of each Dropout to fit what is left of the layer before it (Han 2015, section 3.2)."""
    for name, layer in subject_of(model).dropouts.items():
        p = getattr(model, layer).weight
        getattr(model, name).p = adjust_dropout(dropout, p.size, density(p) * p.size)


def share_layers(model: nn.Module, bits: tuple[int, ...]) -> None:
    """k-means with linear initialisation: 2^bits shared values for each layer and, by the last of `bits`, for each bias
    vector. (The paper leaves biases as float32 and does not count them.)"""
    for name, b in zip(subject_of(model).relative, bits[:-1], strict=True):
        layer = getattr(model, name)
        for attribute, width in (("weight", b), ("bias", bits[-1])):
            p = getattr(layer, attribute)
            check_finite(f"share_layers: {name}.{attribute}", p().data)
            share(p, width)


def results(model: nn.Module, path: str | os.PathLike, reference: float, loaded: float, seconds: float) -> dict:
    """Everything that was measured, as numbers that JSON can hold. reference, loaded: accuracies in [0, 1]."""
    report, subject = io.inspect(path), subject_of(model)
    return {
        "network": model.architecture["type"],
        "reference error %": round(100 - 100 * reference, 2),
        "compressed error %": round(100 - 100 * loaded, 2),
        "size_bytes": report.size_bytes,
        "rate": 4 * subject.parameters / report.size_bytes,
        "bytes by part": report.bytes_by_part(),
        "table 2": count_layers({name: getattr(model, name).weight for name in subject.relative}),
        "seconds": seconds,
    }
