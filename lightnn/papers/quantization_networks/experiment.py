"""Quantization Networks (Yang et al. 2019, CVPR, arXiv 1911.09464) on a small residual network and Fashion-MNIST.

    y = alpha (sum_i s_i sigmoid(T (beta x - b_i)) - o),    T = rate * epoch

The paper trains AlexNet and ResNets on ImageNet for 55 epochs; five short epochs of Fashion-MNIST at 14 x 14 are our
stand-in. A reference is trained in floats. Each way copies it, quantizes the copy's inner layers and trains it on; so
does a control in floats, on the same images for as long. The first and the last layer stay floats, as in the paper.
The validation images choose the best epoch, and the test images are used once for each network.

Weights and activations are quantized in the paper's three phases, of as many epochs each: the weights; the activations,
while the weights are frozen; both, at the temperature that was reached. An activation is quantized right before its
convolution, so shortcuts stay floats.
"""

import copy
import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, metrics, models, nn, optim
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.low_bits import file_bytes
from lightnn.papers.lab.session import Session
from lightnn.papers.quantization_networks import ways
from lightnn.papers.quantization_networks.training import Together, clipped_sgd
from lightnn.papers.quantization_networks.ways import CONTROL, WAYS, Way
from lightnn.tensor import Tensor, no_grad
from lightnn.training import Recipe, distil

SEEDS, CALIBRATION, TEACHER_T = 3, 200, 4.0


def network(rng=None) -> nn.Module:
    """resnet-8 of 12, 24 and 48 channels, which reads the images at half their size."""
    return nn.Sequential(nn.AvgPool2d(2), models.cifar_resnet(8, 12, in_channels=1, rng=rng))


@dataclass(frozen=True)
class Subject:
    """How long the reference trains, and every phase of every way, each on the first so many images: short_images for
    what is compared in the ablations.

    last_lr: of the third phase, where T is as high as it gets from the start."""

    reference_epochs: int = 3
    reference_images: int = 30_000
    epochs: int = 5
    images: int = 20_000
    short_images: int = 4_000
    reference_lr: float = 0.1
    lr: float = 0.02
    last_lr: float = 0.005
    make: Callable[..., nn.Module] = network


FULL = Subject()
QUICK = Subject(reference_epochs=1, reference_images=10_000, epochs=2, images=2_000, short_images=1_000)
QUICK_WAYS = (CONTROL, "1 bit", "2 bits", "3 bits, +-4", "1 bit, activations of 2")


def reproduce(session: Session) -> dict:
    """{"parameters", "reference epochs", "reference images", "epochs", "images", "short images", "seeds", "reference":
    [test accuracy in % of each seed], "ways": {way: {"weights", "activations", "bytes", "accuracy": [...],
    "validation": [[that of each epoch] of each seed], "soft validation": [...]}}, "seconds"}. soft: with the quantizers
    as soft as they would be in the next epoch. DataNotFoundError says what to do without Fashion-MNIST.
    """
    subject, seeds = QUICK if session.quick else FULL, session.seeds(1 if session.quick else SEEDS)
    images = stage.split(data.load_fashion_mnist())
    result = {"reference": [], "ways": {}}
    for each in seeds:
        run = Experiment("qnet", subject, images, session.of_seed(each))
        reference, _ = run.journal.network("reference", lambda run=run: _reference(run))
        result["reference"].append(_tested(run, "reference", reference))
        for name, way in WAYS.items():
            if (way.once and each > session.seed) or (session.quick and name not in QUICK_WAYS):
                continue
            _add(result["ways"], name, way, _one(run, name, reference))
    how = {"reference epochs": subject.reference_epochs, "reference images": subject.reference_images}
    how |= {"epochs": subject.epochs, "images": subject.images, "short images": subject.short_images, "seeds": seeds}
    return {"parameters": metrics.count_parameters(network()), **how, **result, "seconds": session.journal.seconds}


def _add(found, name, way, numbers):
    """Put one seed's numbers of a way with those of other seeds."""
    row = found.setdefault(name, {"weights": way.weights, "activations": way.activations})
    row["bytes"] = numbers.pop("bytes")
    for key, value in numbers.items():
        row.setdefault(key, []).append(value)


def _reference(run):
    subject = run.subject
    recipe = Recipe(subject.reference_epochs, subject.reference_lr, clipped_sgd, stage.BATCH_SIZE, augment=stage.jitter)
    recipe = dataclasses.replace(recipe, schedule=optim.CosineLR)
    model = run.fresh()
    history = _train(run, "reference", model, recipe, subject.reference_images)
    return model, {"validation": history}


def _one(run, name, reference):
    """{"accuracy", "validation", "soft validation", "bytes"} of one way and seed."""
    way, model, numbers = WAYS[name], reference, {}
    for phase in phases(way):
        step = f"{phase}: {_key(name, way, phase)}"
        work = functools.partial(_phase, run, step, way, phase, model, reference)
        model, numbers = run.journal.network(step, work)
    size = run.journal.step(f"size of {name}", lambda: {"bytes": file_bytes(model, run.images.validation[0][:100])})
    return {"accuracy": _tested(run, name, model), **numbers, **size}


def phases(way: Way) -> list[str]:
    """The phases of training, in order."""
    if way.bits is None:
        return ["weights"]
    return ["activations"] if way.Y is None else ["weights", "activations", "both"]


def _key(name, way, phase):
    """The name of a way in a journal: ways that begin alike share a phase."""
    first = dataclasses.replace(way, bits=None, activation_rate=Way.activation_rate, once=False)
    same = (other for other, w in WAYS.items() if w == first)
    return next(same, name) if phase == "weights" else name


def _phase(run, step, way, phase, model, reference):
    """(network, numbers) of a phase that begins with the model."""
    epochs = run.subject.epochs
    if phase == "weights":
        model = ways.soften_weights(run.fresh() if way.scratch else model, way)
        soft = model
    else:
        x = run.images.training[0][:CALIBRATION]
        model = ways.soften_activations(model, way, x) if phase == "activations" else copy.deepcopy(model)
        soft = ways.soft_activations(model)
    if phase == "activations" and way.Y is not None:
        ways.freeze_weights(model)
    if phase == "both":
        ways.release_weights(model)
        compress.set_temperature(model, way.rate * epochs)
        compress.set_temperature(soft, way.activation_rate * epochs)
    recipe = _recipe(run.subject, way, phase, soft)
    if way.taught:
        recipe = dataclasses.replace(recipe, loss=distil(reference, TEACHER_T))
    images = run.subject.short_images if way.short else run.subject.images
    history = _train(run, step, model, recipe, images)
    return model, {"validation": history, "soft validation": _soft_accuracy(model, run.images.validation)}


def _recipe(subject, way, phase, soft):
    """How a phase trains. The temperature of what is in `soft` rises; in the last phase it stays."""

    def schedule(optimizer, epochs):
        rate = way.rate if phase == "weights" else way.activation_rate
        rising = [] if phase == "both" else [compress.RisingTemperature(soft, rate)]
        return Together(optim.CosineLR(optimizer, epochs), *rising)

    lr = subject.last_lr if phase == "both" else subject.lr
    return Recipe(subject.epochs, lr, clipped_sgd, stage.BATCH_SIZE, schedule, augment=stage.jitter)


def _train(run, name, model, recipe, count):
    """Train the model in place on the first images. Returns the validation accuracy of each epoch, in %."""
    images = run.images._replace(training=tuple(a[:count] for a in run.images.training))
    options = {"progress": run.progress, "description": f"seed {run.seed}, {name}"}
    history = stage.fit_and_tell(model, images, draws(run.seed, "training"), recipe, **options)
    return [round(100 * a, 2) for a in history.val_accuracy]


@no_grad()
def _soft_accuracy(model, xy):
    """The accuracy in % with quantizers as soft as in training, at the temperature that the model has."""
    twin, (x, y) = copy.deepcopy(model), xy
    ways.soften(twin)
    outputs = [twin(Tensor(x[i : i + 500])).data for i in range(0, len(x), 500)]
    return round(100 * float((np.concatenate(outputs).argmax(1) == y).mean()), 2)


def _tested(run, name, model):
    """The accuracy on the test images in %, printed."""
    accuracy = round(100 - run.test(name, model), 2)
    run.say(f"seed {run.seed}  {name:<32}{accuracy:6.2f} %")
    return accuracy
