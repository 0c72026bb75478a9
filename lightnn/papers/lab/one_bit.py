"""The experiments on networks of one bit: several ways of one network, trained by one recipe from the same draws.

The last 10,000 training images choose the best epoch, and the test images are used once for each network that a table
shows. Bytes are those of a file that was written and loaded back, bit for bit.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from lightnn import compress, data, nn, optim
from lightnn import functional as F
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.low_bits import file_bytes
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe

VALIDATION = 10_000  # the last training images, as in the papers on binary networks
LAST_LR = 3e-5
QUICK = {"epochs": 2, "images": 10_000}  # of a Subject


@dataclass(frozen=True)
class Way:
    """weights, activations: their bits, as the table shows them. make(rng) makes the network, with its binary weights.
    forms: other forms of the trained network, {name: form(network, images)}, which are tested too.
    """

    weights: str
    activations: str
    make: Callable[[np.random.Generator], nn.Module]
    forms: Mapping[str, Callable[[nn.Module, stage.Images], nn.Module]] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """The network's name for the table, and how all ways train, on the first `images` training images."""

    network: str
    recipe: Recipe
    images: int = 60_000


class GlorotAdam(optim.Adam):
    """Adam, whose steps of binary weights are as long as their latent weights need it:

        lr of a weight (O, I, ...) = lr / sqrt(1.5 / (fan_in + fan_out))

    Floats of this layer would be of the size of the root (Glorot & Bengio 2010), but its latent weights fill [-1, 1]:
    they have further to go (the authors' code of BinaryConnect, arXiv 1511.00363, W_LR_scale).
    """

    def update(self, i, p):
        lr, binary = self.lr, isinstance(getattr(p, "values", None), compress.Binary)
        self.lr = lr / glorot_scale(p.shape) if binary else lr
        super().update(i, p)
        self.lr = lr


def glorot_scale(shape: tuple[int, ...]) -> float:
    """sqrt(1.5 / (fan_in + fan_out)) of a weight (O, I, KH, KW) or (O, I): fan_in = I KH KW, fan_out = O KH KW."""
    return math.sqrt(1.5 / (math.prod(shape[2:]) * (shape[0] + shape[1])))


def falling(optimizer: optim.Optimizer, epochs: int) -> optim.ExponentialLR:
    """From the recipe's lr to LAST_LR."""
    return optim.ExponentialLR(optimizer, epochs, LAST_LR)


RECIPE = Recipe(10, 0.001, GlorotAdam, batch_size=200, schedule=falling, loss=F.squared_hinge)  # BinaryConnect's, short


def binary(
    model: nn.Module, use: Callable[[nn.Parameter], object], rng: np.random.Generator, paths: Iterable[str] = ()
) -> nn.Module:
    """The model, after use(weight) for the layers at these paths, by default for all. Their latent weights are drawn
    anew, uniformly from [-1, 1] (the authors' code of BinaryConnect)."""
    layers = layers_with_weights(model)
    for path in paths or layers:
        p = layers[path].weight
        p.data = nn.init.uniform(p.shape, 1.0, rng)
        use(p)
    return model


def measure(subject: Subject, ways: Mapping[str, Way], session: Session) -> dict:
    """Every way, as plain numbers.

    {"network", "seed", "epochs", "images", "ways": {way: {"weights", "activations", "validation error %",
    "test error %", "bytes", "epoch errors %": on the validation images, "forms": {form: {"validation error %",
    "test error %"}}}}, "seconds"}
    """
    images = stage.split(data.load_mnist(), VALIDATION)
    images = images._replace(training=tuple(a[: subject.images] for a in images.training))
    run = Experiment(subject.network, subject, images, session)
    found = {name: _one(run, name, way) for name, way in ways.items()}
    plan = {"epochs": subject.recipe.epochs, "images": len(images.training[0])}
    about = {"network": subject.network, "seed": session.seed, **plan}
    return {**about, "ways": found, "seconds": session.journal.seconds}


def _one(run, name, way):
    """The numbers of one way."""

    def train():
        model = way.make(draws(run.seed, "initial weights"))
        options = {"progress": run.progress, "description": name}
        history = stage.fit_and_tell(model, run.images, draws(run.seed, "training"), run.subject.recipe, **options)
        curve = [round(100 - 100 * accuracy, 2) for accuracy in history.val_accuracy]
        return model, {"validation error %": min(curve), "epoch errors %": curve}

    model, numbers = run.journal.network(name, train)
    size = run.journal.step(f"size of {name}", lambda: {"bytes": file_bytes(model, run.images.validation[0][:100])})
    error, forms = run.test(name, model), {}
    run.say(f"{name:<28} test error {error:.2f} %, {size['bytes']:,} bytes")
    for form in way.forms:
        work = functools.partial(_errors, run, model, way.forms[form])
        forms[form] = run.journal.step(f"{name}: {form}", work)
        run.say(f"  {form:<26} test error {forms[form]['test error %']:.2f} %")
    plan = {"weights": way.weights, "activations": way.activations}
    return {**plan, **numbers, "test error %": error, **size, "forms": forms}


def _errors(run, model, change):
    """Of another form of the model."""
    images, twin = run.images, change(model, run.images)
    return {"validation error %": stage.error(twin, images.validation), "test error %": stage.error(twin, images.test)}


def reproduction(subject: Subject, ways: Mapping[str, Way]) -> Callable[[Session], dict]:
    """A paper's `reproduce`: `measure`, in full or quickly."""

    def reproduce(session: Session) -> dict:
        """The numbers of `one_bit.measure`."""
        return measure(shorter(subject, **QUICK) if session.quick else subject, ways, session)

    return reproduce


def shorter(subject: Subject, epochs: int, images: int) -> Subject:
    """The same with fewer epochs and images."""
    recipe = dataclasses.replace(subject.recipe, epochs=epochs)
    return dataclasses.replace(subject, recipe=recipe, images=images)
