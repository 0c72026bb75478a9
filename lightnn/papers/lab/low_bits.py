"""The experiments on weights and activations of few bits: one network, several ways, and a float control beside them.

    loss = accuracy of the control - accuracy of the way, in points

The LeNet-5 of ternary weight networks is trained on MNIST in floats: the reference. Each way copies it, quantizes the
copy and trains it on. So does the control, in floats, for as many steps and on the same images in the same order: what
training on gains is no merit of a way. The validation images choose the best epoch, and the test images are used once
for each network. Bytes are those of a file that was written and loaded back, bit for bit.
"""

import copy
import dataclasses
import pathlib
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from lightnn import compress, io, models, nn, optim
from lightnn.journal import Journal, draws
from lightnn.models.places import put
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe, predict

CONTROL = "float control"
INNER = ("conv2", "fc1")  # the layers between the first and the last
READ = ("relu1", "relu2")  # what they read
LAYERS = ("conv1", *INNER, "fc2")
CALIBRATION = 500  # images


@dataclass(frozen=True)
class Way:
    """quantize(network, x) returns a network of few bits; x are images to measure ranges on. weights, activations:
    their bits, as the table shows them. trained: whether it is trained on. gradient_bits: DoReFa's G, while it is.
    after_step(network) is called after each update. measure(network, images) returns numbers of this way alone.
    """

    weights: str
    activations: str
    quantize: Callable[[nn.Module, np.ndarray], nn.Module]
    trained: bool = True
    gradient_bits: int | None = None
    after_step: Callable[[nn.Module], object] | None = None
    measure: Callable[[nn.Module, stage.Images], dict] | None = None


@dataclass(frozen=True)
class Subject:
    """How long the reference trains, on all training images, and every way after it, on the first `images` of them."""

    reference_epochs: int = 7
    epochs: int = 2
    images: int = 20_000
    lr: float = 0.01
    optimizer: Callable[..., optim.Optimizer] = stage.with_decay
    reference_images: int = 60_000
    make: Callable[..., nn.Module] = models.twn_lenet5
    network: str = "twn_lenet5 on MNIST"

    @property
    def reference(self) -> Recipe:
        return stage.recipe(self.reference_epochs, 0.05)

    def recipe(self, after_step: Callable | None = None) -> Recipe:
        """Of the control and the ways."""
        schedule = {"schedule": optim.CosineLR, "augment": stage.jitter}
        return Recipe(self.epochs, self.lr, self.optimizer, stage.BATCH_SIZE, after_step=after_step, **schedule)


FLOATS = Way("32", "32", lambda model, x: copy.deepcopy(model))
QUICK = {"reference_epochs": 2, "epochs": 1, "images": 2_500, "reference_images": 10_000}  # of a Subject


def measure(subject: Subject, ways: Mapping[str, Way], session: Session, shared: bool = False) -> dict:
    """The reference, the control and every way, as plain numbers.

    {"network", "seed", "reference epochs", "epochs", "images", "lr", "reference": {...}, "ways": {way: {"weights",
    "activations", "trained", "validation accuracy %", "test accuracy %", "bytes", ...}}, "seconds"}. shared: the
    networks in floats stay where the next paper finds them, --fresh or not; "seconds" has theirs for each paper.
    """
    images = stage.mnist()
    kept = _shared(subject, session) if shared else session.journal
    run = Experiment("low bits", subject, images, session)
    reference, numbers = kept.network("reference", lambda: _reference(run))
    numbers = _known(run, "reference", reference, numbers)
    control, trained = kept.network(
        f"control {subject.images} {subject.recipe()}", lambda: _quantized(run, CONTROL, FLOATS, reference)
    )
    found = {CONTROL: {**_plan(FLOATS), **_known(run, CONTROL, control, trained)}}
    found |= {name: _one(run, name, way, reference) for name, way in ways.items()}
    plan = {"reference epochs": subject.reference_epochs, "epochs": subject.epochs, "images": subject.images}
    seconds = session.journal.seconds + (kept.seconds if shared else 0)
    made = {"network": subject.network, "seed": session.seed, **plan, "lr": subject.lr}
    return {**made, "reference": numbers, "ways": found, "seconds": seconds}


def reproduction(subject: Subject, ways: Mapping[str, Way]) -> Callable[[Session], dict]:
    """A paper's `reproduce`: `measure`, in full with the reference that the papers on one network share, or quickly
    with one of its own."""

    def reproduce(session: Session) -> dict:
        """The numbers of `low_bits.measure`."""
        small = dataclasses.replace(subject, **QUICK) if session.quick else subject
        return measure(small, ways, session, shared=not session.quick and subject.make is Subject.make)

    return reproduce


def _shared(subject, session):
    """The journal of the networks in floats. What an earlier paper left is no interrupted run, so it says nothing."""
    kept = Journal.open("low-bits", session.seed, subject.reference, say=lambda line: None)
    kept.say = session.say
    return kept


def _first(pair, count):
    return tuple(a[:count] for a in pair)


def _reference(run):
    """(network, numbers)."""
    images = run.images._replace(training=_first(run.images.training, run.subject.reference_images))
    model, rng = run.subject.make(rng=draws(run.seed, "initial weights")), draws(run.seed, "reference")
    options = {"progress": run.progress, "description": "reference"}
    error = stage.fit(model, images, rng, run.subject.reference, **options)
    return model, {"validation accuracy %": round(100 - error, 2)}


def _one(run, name, way, reference):
    """The numbers of one way."""
    model, numbers = run.journal.network(name, lambda: _quantized(run, name, way, reference))
    numbers = {**_plan(way), **_known(run, name, model, numbers)}
    if way.measure is not None:
        numbers |= run.journal.step(f"{name}: more", lambda: way.measure(model, run.images))
    return numbers


def _plan(way):
    return {"weights": way.weights, "activations": way.activations, "trained": way.trained}


def _known(run, name, model, numbers):
    """The numbers of training, with the accuracy on the test images and the bytes of the file."""
    tested = {"test accuracy %": round(100 - run.test(name, model), 2)}
    size = run.journal.step(f"size of {name}", lambda: {"bytes": file_bytes(model, run.images.validation[0][:100])})
    run.say(f"{name:<28} test accuracy {tested['test accuracy %']:.2f} %, {size['bytes']:,} bytes")
    return {**numbers, **tested, **size}


def _quantized(run, name, way, reference):
    """(network, numbers) of a way."""
    model = way.quantize(reference, run.images.training[0][:CALIBRATION])
    error = _train(run, name, way, model) if way.trained else stage.error(model, run.images.validation)
    return model, {"validation accuracy %": round(100 - error, 2)}


def _train(run, name, way, model):
    """Train the network on, in place. Returns its error on the validation images in %.

    What rounds gradients stands in it only as long.
    """
    images = run.images._replace(training=_first(run.images.training, run.subject.images))
    layers = {path: m for path, m in model.named_modules() if way.gradient_bits and path in INNER}
    rng = draws(run.seed, "rounding of gradients")
    for path, layer in layers.items():
        put(model, path, nn.Sequential(layer, compress.GradientQuantizer(way.gradient_bits, rng=rng)))
    recipe = run.subject.recipe(way.after_step and (lambda: way.after_step(model)))
    options = {"progress": run.progress, "description": name}
    error = stage.fit(model, images, draws(run.seed, "training on"), recipe, **options)
    for path, layer in layers.items():
        put(model, path, layer)
    return error


def file_bytes(model: nn.Module, x: np.ndarray) -> int:
    """The size of the model's file. RuntimeError unless it is loaded back bit for bit, and gives the same for x."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.lnn"
        size = io.save(model, path)
        back = io.load(path)
        same = io.to_bytes(back) == path.read_bytes() and np.array_equal(predict(back, x), predict(model, x))
    if not same:
        raise RuntimeError("the file does not give the network back")
    return size


def low_weights(model: nn.Module, use: Callable, paths: tuple[str, ...] = INNER) -> nn.Module:
    """A copy of the model after use(weight) for the layers at these paths."""
    twin = models.replace(model, {})
    for path in paths:
        use(dict(twin.named_modules())[path].weight)
    return twin


def low_inputs(model: nn.Module, make: Callable[[], nn.Module], paths: tuple[str, ...] = READ) -> nn.Module:
    """A copy of the model in which make() stands where a ReLU stood: by default, before the inner layers."""
    return models.replace(model, {path: make() for path in paths})
