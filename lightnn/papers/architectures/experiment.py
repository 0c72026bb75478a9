"""Sixteen families side by side: models.small(family) trained on Fashion-MNIST, compressed twice, and measured.

Every network is trained by one recipe, with Adam on the same images in the same order. Then

    Deep Compression    each large weight keeps a fraction of its numbers and is trained on, then all weights share 32
                        values each, which are tuned; the file has Huffman's codes
    int8                batch norms folded, weights and activations of 8 bits, without training (Jacob et al. 2018)

Bytes are those of files that were loaded back bit for bit. The validation images choose the best epoch; the test images
are used once for each network of the table. One seed: what separates two families by less than half a point is chance.
The training is short, which favours families that learn fast.
"""

import functools
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, metrics, models, nn, optim
from lightnn import functional as F
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.low_bits import file_bytes
from lightnn.papers.lab.session import Session
from lightnn.tensor import Tensor, no_grad
from lightnn.training import Recipe

FAMILIES = {  # family: what the survey and this book know it for
    "alexnet": "large filters, fully connected layers",
    "vgg": "3x3 only",
    "googlenet": "inception",
    "inception_v3": "inception, filters taken apart",
    "resnet": "residual",
    "bottleneck": "residual, bottleneck",
    "densenet": "dense connections",
    "squeezenet": "squeeze and expand",
    "mobilenet_v1": "depthwise separable",
    "mobilenet_v2": "inverted residual",
    "mobilenet_v3": "squeeze-and-excitation, hardswish",
    "shufflenet_v1": "grouped 1x1, channel shuffle",
    "shufflenet_v2": "half of the channels pass by",
    "mnasnet": "found by search",
    "efficientnet": "MBConv, for compound scaling",
    "shiftnet": "shift",
}
LARGE, SHARED = 2000, 256  # weights of at least so many numbers are pruned, are shared
VALIDATION, TEST, CALIBRATION, BATCH = 500, 10_000, 500, 100
INPUT = (1, 1, 28, 28)


@dataclass(frozen=True)
class Subject:
    """How all networks are trained. keep: the fraction of a large weight that pruning leaves."""

    images: int = 10_000
    epochs: int = 5
    lr: float = 0.003
    keep: float = 0.35
    bits: int = 5
    families: tuple[str, ...] = tuple(FAMILIES)

    @property
    def training(self) -> Recipe:
        return Recipe(self.epochs, self.lr, optim.Adam, BATCH, optim.CosineLR)

    def later(self, lr: float) -> Recipe:
        """One more epoch, after pruning or sharing."""
        return Recipe(1, lr, optim.Adam, BATCH)


FULL = Subject()
QUICK = Subject(images=1_000, epochs=1, families=("alexnet", "resnet", "densenet", "mobilenet_v1", "shiftnet"))


def reproduce(session: Session) -> dict:
    """{"images", "epochs", "seed", "families": {family: {"known for", "parameters", "macs", "training bytes", "ms",
    "validation accuracy %", "float": {"test accuracy %", "bytes"}, "Deep Compression": ..., "int8": ...}}, "seconds"}.

    training bytes: what a step on 100 images holds. ms: of one image, the least of many runs, in floats with batch norm
    as a layer of its own. DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject, d = QUICK if session.quick else FULL, data.load_fashion_mnist()
    images = stage.split(d, VALIDATION)
    training, test = (
        tuple(a[:n] for a in pair) for pair, n in ((images.training, subject.images), (images.test, TEST))
    )
    images = images._replace(training=training, test=test)
    found, trained = {}, {}
    for family in subject.families:
        run = Experiment(family, subject, images, session.part(family))
        trained[family], found[family] = _one(run, family)
    times = session.journal.step("milliseconds", lambda: _times(trained))
    for family, ms in times.items():
        found[family]["ms"] = ms
    plan = {
        "images": subject.images,
        "test images": len(images.test[1]),
        "epochs": subject.epochs,
        "keep": subject.keep,
        "bits": subject.bits,
    }
    return {**plan, "seed": session.seed, "families": found, "seconds": session.journal.seconds}


def _one(run, family):
    """(the trained network, its numbers)."""
    subject, fresh = run.subject, models.small(family, rng=run.seed)
    model, numbers = run.network("train", fresh, subject.training)
    counted = run.journal.step("counts", lambda: _counts(fresh, run.images.training))
    pruned, _ = run.network("prune", model, subject.later(subject.lr / 3), functools.partial(_prune, subject))
    shared, _ = run.network("share", pruned, subject.later(subject.lr / 10), functools.partial(_share, subject))
    forms = {"float": _form(run, "float", model), "Deep Compression": _form(run, "Deep Compression", shared)}
    forms["int8"] = run.journal.step("int8", lambda: _int8(model, run.images))
    shown = "  ".join(f"{name} {form['test accuracy %']:.2f} % {form['bytes']:,} B" for name, form in forms.items())
    run.say(f"{family:<14} {shown}")
    validation = round(100 - numbers["validation error %"], 2)
    return model, {"known for": FAMILIES[family], **counted, "validation accuracy %": validation, **forms}


def _prune(subject, model):
    for p in _weights(model, LARGE):
        compress.prune_to_fraction(p, subject.keep)


def _share(subject, model):
    for p in _weights(model, SHARED):
        compress.share(p, subject.bits)


def _weights(model, least):
    return [p for p in model.parameters() if p.ndim > 1 and p.size >= least]


def _form(run, name, model):
    """{"test accuracy %", "bytes"} of a network."""
    tested = {"test accuracy %": round(100 - run.test(name, model), 2)}
    return tested | run.journal.step(f"size of {name}", lambda: {"bytes": file_bytes(model, _few(run.images))})


def _few(images):
    return images.validation[0][:100]


def _int8(model, images):
    twin = compress.quantize(model, images.training[0][:CALIBRATION])
    accuracy = round(100 - stage.error(twin, images.test), 2)
    return {"test accuracy %": accuracy, "bytes": file_bytes(twin, _few(images))}


def _counts(model, training):
    """Of the network as it was made, and of a training step with it."""
    x, y = (a[:BATCH].copy() for a in training)  # a view would count as all images
    counted = {"parameters": metrics.count_parameters(model), "macs": metrics.count_macs(model, INPUT)}
    optimizer = optim.Adam(model.parameters(), lr=0.0)
    held = metrics.training_memory(model.train(), optimizer, lambda: F.cross_entropy(model(Tensor(x)), y))
    return {**counted, "training bytes": held.total}


@no_grad()
def _times(trained: dict[str, nn.Module], repeats: int = 40) -> dict[str, float]:
    """{family: milliseconds of one image}."""
    x = Tensor(np.zeros(INPUT, np.float32))
    calls = {family: functools.partial(model.eval(), x) for family, model in trained.items()}
    return {family: round(least.ms, 4) for family, least in metrics.least_times(calls, repeats).items()}
