"""Deep Compression of the two LeNets (Han, Mao & Dally, ICLR 2016, arXiv 1510.00149, section 4.1 and tables 1 to 3).

`compress_network` is the experiment: train, prune and retrain in steps, share and fine-tune the centres, write the
file. The paper's tables and its way of counting are in deep_compression_tables.py.
"""

import time
from dataclasses import dataclass

import numpy as np

from lightnn import data, io, models, optim
from lightnn.compress import adjust_dropout, density, prune, quality_for, share
from lightnn.papers.deep_compression_tables import count_layers, format_tables
from lightnn.training import evaluate, train

__all__ = [
    "SUBJECTS",
    "Interrupted",
    "Recipe",
    "compress_network",
    "format_tables",
    "prune_layers",
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


class Interrupted(Exception):
    """Ctrl-C ended a stage; the network as it was reached has been saved."""


def compress_network(name, path, recipe=None, seed=0, progress=True, say=print):
    """Run the experiment with a network of SUBJECTS on MNIST and write the network to path; the results, as a dict of
    plain numbers. recipe: None for the full one.

    The last 5,000 training images are the validation set, which picks the best epoch of each stage; the test set is
    used once for the reference and once for the loaded file. say: called with a line after each stage. The file is
    written after every stage, so that Ctrl-C loses none that is finished: then Interrupted is raised.
    """
    subject, start, mnist = SUBJECTS[name], time.perf_counter(), data.load_mnist()
    recipe = recipe or subject.full
    training, validation = (
        (mnist.x_train[:-5000], mnist.y_train[:-5000]),
        (mnist.x_train[-5000:], mnist.y_train[-5000:]),
    )
    model = subject.make(dropout=recipe.dropout, rng=seed)
    rng, stages = np.random.default_rng(seed), []

    def stage(name, epochs, lr, weight_decay=recipe.weight_decay):
        optimizer = optim.SGD(model.parameters(), lr=lr, momentum=recipe.momentum, weight_decay=weight_decay)
        history = train(
            model,
            training,
            epochs=epochs,
            optimizer=optimizer,
            batch_size=recipe.batch_size,
            schedule=optim.CosineLR(optimizer, epochs),
            augment=lambda x, rng: data.random_shift(x, recipe.max_shift, rng=rng),
            validation=validation,
            rng=rng,
            progress=progress,
            description=name,
        )
        size = io.save(model, path)
        if history.interrupted:
            raise Interrupted(f"interrupted in the stage '{name}': {path} holds the network as far as it got")
        error, seconds = 100 - 100 * evaluate(model, *validation, progress=False), time.perf_counter() - start
        stages.append({"stage": name, "validation error %": round(error, 2), "size_bytes": size, "seconds": seconds})
        say(f"{name:<34} validation error {error:5.2f} %  {size:>9,} bytes  {seconds:4.0f} s")

    stage("train the reference", recipe.epochs, recipe.lr)
    reference = evaluate(model, mnist.x_test, mnist.y_test, progress=False)
    for keep, epochs in zip(recipe.keep, recipe.retrain_epochs, strict=True):
        prune_layers(model, keep, recipe.dropout)
        stage(f"prune to {keep:.0%} of fc1, retrain", epochs, recipe.retrain_lr)
    share_layers(model, recipe.bits)
    stage("share weights, tune the centres", recipe.tune_epochs, recipe.tune_lr, weight_decay=0)
    loaded = evaluate(io.load(path), mnist.x_test, mnist.y_test, progress=False)
    return {"stages": stages, **results(model, path, reference, loaded, time.perf_counter() - start)}


def subject_of(model):
    """The Subject whose network this is."""
    return SUBJECTS[model.architecture["type"]]


def prune_layers(model, keep, dropout):
    """One pruning step: fc1 keeps the share `keep` of its weights, the other layers as much more as they need, and
    dropout is adjusted (section 3.2 of Han 2015)."""
    subject = subject_of(model)
    for name, relative in subject.relative.items():
        p = getattr(model, name).weight
        prune(p, quality_for(p().data, min(1.0, relative * keep), None if p.support is None else p.support.mask))
    for name, layer in subject.dropouts.items():
        connections = getattr(model, layer).weight
        getattr(model, name).p = adjust_dropout(dropout, connections.size, density(connections) * connections.size)


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
