"""Deep Compression of the two LeNets (Han, Mao & Dally, ICLR 2016, arXiv 1510.00149, section 4.1 and tables 1 to 3).

`compress_network` is the experiment: train, prune and retrain in steps, share and fine-tune the centres, write the
file. The paper's tables and its way of counting are in deep_compression_tables.py.
"""

import functools
import os
import tempfile
import time
from dataclasses import dataclass

from lightnn import io, models
from lightnn.compress import adjust_dropout, density, prune_to_share, share
from lightnn.papers.deep_compression.tables import count_layers, format_tables
from lightnn.papers.lab import stage
from lightnn.papers.lab.journal import Interrupted, Journal, draws
from lightnn.training.loop import evaluate

__all__ = [
    "SUBJECTS",
    "Interrupted",
    "Recipe",
    "compress_network",
    "format_tables",
    "prune_layers",
    "reproduce",
    "results",
    "share_layers",
]


@dataclass(frozen=True)
class Recipe:
    """The choices of the experiment, all made on the validation split.

    keep: for each pruning step, the share of fc1's weights that stay. bits: of the codes of each layer, and last of
    the biases.
    """

    epochs: int = 15
    lr: float = 0.1
    keep: tuple = (0.25, 0.1, 0.05)
    retrain_epochs: tuple = (5, 5, 30)
    retrain_lr: float = 0.05
    bits: tuple = (4, 4, 4, 4)
    tune_epochs: int = 5
    tune_lr: float = 1e-3
    batch_size: int = 100
    momentum: float = 0.9
    weight_decay: float = 5e-5
    dropout: float = 0.0
    max_shift: int = 1


@dataclass(frozen=True)
class Subject:
    """A network of the paper: how it is made, how much its layers bear, and the recipes for it.

    relative: for each layer, the share of its weights that it keeps in units of `keep` (from the sensitivity scan).
    dropouts: {dropout module: the layer whose connections it is adjusted to}.
    """

    make: object
    parameters: int
    relative: dict
    dropouts: dict
    full: Recipe
    quick: Recipe


SUBJECTS = {
    "lenet_300_100": Subject(
        models.lenet_300_100,
        266_610,
        {"fc1": 1, "fc2": 2, "fc3": 6},
        {"dropout1": "fc1", "dropout2": "fc2"},
        Recipe(),
        Recipe(epochs=5, keep=(0.2, 0.08), retrain_epochs=(2, 5), tune_epochs=1),
    ),
    "lenet5": Subject(
        models.lenet5,
        431_080,
        {"conv1": 14, "conv2": 3, "fc1": 1, "fc2": 5},
        {"dropout": "fc1"},
        Recipe(epochs=10, lr=0.05, keep=(0.15, 0.06, 0.03), retrain_epochs=(3, 3, 12), retrain_lr=0.03,
               bits=(5, 4, 4, 4, 4), tune_epochs=3),
        Recipe(epochs=2, lr=0.05, keep=(0.15, 0.06), retrain_epochs=(1, 2), retrain_lr=0.03,
               bits=(5, 4, 4, 4, 4), tune_epochs=1),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """What is done to the model before it is trained on, and how it is trained."""

    name: str
    prepare: object  # prepare(model)
    epochs: int
    lr: float
    weight_decay: float


def stages_of(recipe):
    """The Stages of the experiment, in order."""
    steps = zip(recipe.keep, recipe.retrain_epochs, strict=True)
    return [
        Stage("train the reference", lambda model: None, recipe.epochs, recipe.lr, recipe.weight_decay),
        *(
            Stage(
                f"prune to {keep:.0%} of fc1, retrain",
                functools.partial(prune_layers, keep=keep),
                epochs,
                recipe.retrain_lr,
                recipe.weight_decay,
            )
            for keep, epochs in steps
        ),
        Stage(
            "share weights, tune the centres",
            functools.partial(share_layers, bits=recipe.bits),
            recipe.tune_epochs,
            recipe.tune_lr,
            0.0,
        ),
    ]


def compress_network(name, path, recipe=None, seed=0, progress=True, say=print, journal=None):
    """Run the experiment with a network of SUBJECTS on MNIST and write the network to path; the results, as a dict of
    plain numbers. recipe: None for the full one.

    The last 5,000 training images are the validation set, which picks the best epoch of each stage; the test set is
    used once for the reference and once for the loaded file. say: called with a line after each stage. journal: where
    finished stages are kept for the next call, and found (None: nowhere). The file is written after every stage;
    Ctrl-C writes the network as far as it got, and raises Interrupted.
    """
    if journal is None:
        with tempfile.TemporaryDirectory() as folder:
            return compress_network(name, path, recipe, seed, progress, say, Journal(folder))
    subject, images = SUBJECTS[name], stage.mnist()
    recipe = recipe or subject.full
    model, stages = subject.make(dropout=recipe.dropout, rng=draws(seed, "initial weights")), []
    for each in stages_of(recipe):
        work = functools.partial(_run, each, model, path, recipe, images, draws(seed, each.name), progress)
        model, numbers = journal.network(each.name, work)
        stages.append({**numbers, "size_bytes": io.save(model, path)})
        say("{stage:<34} validation error {validation error %:5.2f} %  {size_bytes:>9,} bytes".format(**stages[-1]))
        if len(stages) == 1:
            reference = journal.step("test the reference", functools.partial(_test, model, images))["accuracy"]
    loaded = journal.step("test the file", functools.partial(_test, io.load(path), images))["accuracy"]
    seconds = sum(each["seconds"] for each in stages)
    return {"stages": stages, **results(model, path, reference, loaded, seconds)}


def _run(each, model, path, recipe, images, rng, progress):
    """Do one Stage: (model, its numbers)."""
    start = time.perf_counter()
    each.prepare(model)
    set_dropouts(model, recipe.dropout)
    try:
        error = stage.fit(
            model,
            images,
            rng,
            epochs=each.epochs,
            lr=each.lr,
            momentum=recipe.momentum,
            weight_decay=each.weight_decay,
            batch_size=recipe.batch_size,
            max_shift=recipe.max_shift,
            progress=progress,
            description=each.name,
        )
    except Interrupted as interrupted:
        io.save(model, path)
        raise Interrupted(f"{interrupted}; {path} holds the network as far as it got") from None
    return model, {"stage": each.name, "validation error %": error, "seconds": time.perf_counter() - start}


def _test(model, images):
    return {"accuracy": evaluate(model, *images.test, progress=False)}


def reproduce(journal, seed=0, quick=False, progress=True, say=print):
    """Table 1 of the paper: the experiment with both LeNets; {"networks": {name: results}}."""
    networks = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, subject in SUBJECTS.items():
            say(f"{name}:")
            recipe, path = subject.quick if quick else subject.full, os.path.join(folder, f"{name}.lnn")
            networks[name] = compress_network(name, path, recipe, seed, progress, say, journal.part(name))
    return {"networks": networks}


def records(result):
    """The files that hold a result of `reproduce`: {file name: what is in it}."""
    return {f"deep_compression_{name}.json": numbers for name, numbers in result["networks"].items()}


def subject_of(model):
    """The Subject whose network this is."""
    return SUBJECTS[model.architecture["type"]]


def prune_layers(model, keep):
    """One pruning step: fc1 keeps the share `keep` of its weights, the other layers as much more as they need."""
    subject = subject_of(model)
    for name, relative in subject.relative.items():
        prune_to_share(getattr(model, name).weight, min(1.0, relative * keep))


def set_dropouts(model, dropout):
    """Give each Dropout the rate for what is left of the layer before it (section 3.2 of Han 2015)."""
    for name, layer in subject_of(model).dropouts.items():
        p = getattr(model, layer).weight
        getattr(model, name).p = adjust_dropout(dropout, p.size, density(p) * p.size)


def share_layers(model, bits):
    """k-means with linear initialisation: 2^bits values for each layer, and, by the last of `bits`, for each bias
    vector (which the paper leaves as float32 and does not count)."""
    for name, b in zip(subject_of(model).relative, bits[:-1], strict=True):
        share(getattr(model, name).weight, b)
        share(getattr(model, name).bias, bits[-1])


def results(model, path, reference, loaded, seconds):
    """Everything measured, as numbers that JSON can hold."""
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
