"""And the Bit Goes Down (Stock, Joulin, Gribonval, Graham & Jegou 2020, ICLR, arXiv 1907.05686) on a small residual
network and Fashion-MNIST.

The paper quantizes ResNet-18 and ResNet-50, trained on ImageNet. Here a residual network is trained in floats; it is
the teacher. Each way copies it and gives every layer but the first a codebook, from the first layer to the last. Tuned
ways train a layer's centroids before the next layer is quantized, and all centroids at the end, against the teacher's
outputs alone: no way sees a label, and nothing is chosen by one. The codes never change. As a control the teacher's own
copy is trained on in floats in the same way, for as long.

What is not tuned takes seconds. So it is done from several draws of the first centroids, weighted in the norm of the
inputs and plain, at the same k: then the spread tells whether one is better.

The validation images choose the teacher's best epoch; the test images are used once for each network.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, metrics, models, nn, optim
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.centroids import for_centroids, only
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.low_bits import file_bytes
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, distil

CONTROL = "float control"


def network(rng=None) -> nn.Module:
    """resnet-8 of 32, 64 and 128 channels, which reads the images at half their size."""
    return nn.Sequential(nn.AvgPool2d(2), models.cifar_resnet(8, 32, in_channels=1, rng=rng))


@dataclass(frozen=True)
class Subject:
    """How long the teacher trains, a layer's centroids, and all of them at the end, each on the first so many images;
    how many images show what layers read; from how many draws the untuned ways start."""

    reference_epochs: int = 2
    reference_images: int = 45_000
    layer_images: int = 1_000
    epochs: int = 1
    images: int = 12_000
    seen: int = 200
    starts: int = 3
    reference_lr: float = 0.1
    layer_lr: float = 0.05
    lr: float = 0.03
    make: Callable[..., nn.Module] = network


FULL = Subject()
QUICK = Subject(reference_epochs=1, reference_images=8_000, layer_images=500, images=2_000, seen=100, starts=1)


@dataclass(frozen=True)
class Way:
    """kernels, pointwise, linear: weights a block, see `compress.block_sizes`; k: centroids; weighted: in the norm of
    the layers' inputs; tuned: with training."""

    k: int = 256
    kernels: int = 9
    pointwise: int = 4
    linear: int = 4
    weighted: bool = True
    tuned: bool = True


WAYS = {
    "256 centroids": Way(256),
    "256, plain": Way(256, weighted=False),
    "64 centroids": Way(64),
    "64, plain": Way(64, weighted=False),
}
UNTUNED = {"256 centroids": Way(256, tuned=False), "16 centroids": Way(16, tuned=False)}


def reproduce(session: Session) -> dict:
    """{"parameters", "seed", the Subject's numbers, "teacher": {"bytes", "test accuracy %"}, "ways": {way: {"bytes",
    "test accuracy %", "bits a weight": of the quantized layers, by the paper's count}}, "untuned": {way: {"bits a
    weight", "weighted", "plain": {"bytes", "test accuracy %": one of each start}}}, "seconds"}.

    DataNotFoundError says what to do without Fashion-MNIST."""
    subject = QUICK if session.quick else FULL
    run = Experiment("kill-the-bits", subject, stage.split(data.load_fashion_mnist()), session)
    teacher, _ = session.journal.network("teacher", lambda: _teacher(run))
    found = {"teacher": _measured(run, "teacher", teacher)}
    untuned = {name: _untuned(run, name, way, teacher) for name, way in UNTUNED.items()}
    control, _ = session.journal.network(CONTROL, lambda: _control(run, teacher))
    ways = {CONTROL: _measured(run, CONTROL, control)}
    for name, way in WAYS.items():
        model, numbers = session.journal.network(name, functools.partial(_one, run, name, way, teacher))
        ways[name] = {**_measured(run, name, model), **numbers}
    how = {f.name: getattr(subject, f.name) for f in dataclasses.fields(subject) if f.name != "make"}
    parameters = metrics.count_parameters(network())
    return {
        "parameters": parameters, "seed": session.seed, **how, **found, "ways": ways, "untuned": untuned,
        "seconds": session.journal.seconds,
    }  # fmt: skip


def _teacher(run):
    model, subject = run.fresh(), run.subject
    sgd = functools.partial(optim.SGD, momentum=0.9, weight_decay=1e-4)
    recipe = Recipe(subject.reference_epochs, subject.reference_lr, sgd, stage.BATCH_SIZE, optim.CosineLR,
                    augment=stage.jitter)  # fmt: skip
    _train(run, "teacher", model, recipe, subject.reference_images, best=True)
    return model, {}


def _control(run, teacher):
    subject, model = run.subject, models.replace(teacher, {})
    sgd = functools.partial(optim.SGD, momentum=0.9, weight_decay=1e-4)
    recipe = Recipe(subject.epochs, subject.lr, sgd, stage.BATCH_SIZE, optim.CosineLR, distil(teacher, 1.0, 1.0),
                    stage.jitter)  # fmt: skip
    _train(run, CONTROL, model, recipe, subject.images)
    return model, {}


def _one(run, name, way, teacher, start=0):
    """(network, numbers) of one way."""
    subject, x = run.subject, run.images.training[0][: run.subject.seen]
    sizes = compress.block_sizes(teacher, way.kernels, way.pointwise, way.linear)
    tune = functools.partial(_tune, run, name, teacher) if way.tuned else None
    options = {"weighted": way.weighted, "tune": tune, "rng": draws(run.seed, f"first centroids {start}")}
    model = compress.quantize_blocks(teacher, x, sizes, way.k, **options)
    if way.tuned:
        recipe = for_centroids(teacher, subject.epochs, subject.lr, stage.BATCH_SIZE, stage.jitter)
        _train(run, f"{name}, all layers", model, recipe, subject.images)
    return model, {"bits a weight": round(_bits(model, sizes), 3)}


def _untuned(run, name, way, teacher):
    """{"bits a weight", "weighted", "plain"} of one way, from several draws of the first centroids."""
    found = {}
    for what, weighted in (("weighted", True), ("plain", False)):
        each = dataclasses.replace(way, weighted=weighted)
        rows = [_start(run, f"{name}, {what}", each, teacher, start) for start in range(run.subject.starts)]
        found["bits a weight"] = rows[0]["bits a weight"]
        found[what] = {size: [row[size] for row in rows] for size in ("bytes", "test accuracy %")}
    return found


def _start(run, name, way, teacher, start):
    name = f"{name}, start {start}"
    model, numbers = run.journal.network(name, functools.partial(_one, run, name, way, teacher, start))
    return {**_measured(run, name, model), **numbers}


def _bits(model, sizes):
    """A weight of the quantized layers takes so many, codes and centroids, by the paper's count."""
    layers = dict(model.named_modules())
    weights = [layers[path].weight for path in sizes]
    size = sum(compress.product_bytes(p.size, d, len(p.values.codebook)) for p, d in zip(weights, sizes.values()))
    return 8 * size / sum(p.size for p in weights)


def _tune(run, name, teacher, model, path):
    """Train the centroids of one layer for a short epoch, against the teacher."""
    weight = dict(model.named_modules())[path].weight
    recipe = for_centroids(teacher, 1, run.subject.layer_lr, stage.BATCH_SIZE)
    with only(model, [weight, weight.values.codebook]):
        _train(run, f"{name}, {path}", model, recipe, run.subject.layer_images)


def _train(run, name, model, recipe, count, best=False):
    """Train the model in place on the first images. best: keep the epoch that is best on the validation images."""
    images = run.images._replace(training=tuple(a[:count] for a in run.images.training))
    options = {"best": best, "progress": run.progress, "description": name}
    stage.fit_and_tell(model, images, draws(run.seed, name), recipe, **options)


def _measured(run, name, model):
    """{"bytes", "test accuracy %"}, printed."""
    size = run.journal.step(
        f"size of {name}", lambda: {"bytes": file_bytes(model, np.asarray(run.images.validation[0][:100]))}
    )
    accuracy = round(100 - run.test(name, model), 2)
    run.say(f"{name:<32}{accuracy:6.2f} %{size['bytes']:>10,} bytes")
    return {**size, "test accuracy %": accuracy}
