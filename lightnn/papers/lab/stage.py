"""The experiments on MNIST: the images, split for choosing and for testing, and one stage of training."""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from lightnn import data, nn, optim
from lightnn import functional as F
from lightnn.journal import Interrupted
from lightnn.training.loop import History, evaluate, follow
from lightnn.training.recipe import Recipe

BATCH_SIZE = 100
VALIDATION = 5000  # the last training images, for every choice: an epoch, a fraction to keep, a learning rate
TITLES = {"lenet_300_100": "LeNet-300-100", "lenet5": "LeNet-5"}
without_decay = functools.partial(optim.SGD, momentum=0.9)
with_decay = functools.partial(optim.SGD, momentum=0.9, weight_decay=5e-5)

Pair = tuple[np.ndarray, np.ndarray]


class Images(NamedTuple):
    """(x, y) each. The test images are used once for each network in a table, and never for a choice."""

    training: Pair
    validation: Pair
    test: Pair


def mnist() -> Images:
    """MNIST, its last training images set apart for validation."""
    return split(data.load_mnist())


def split(d: data.Dataset, count: int = VALIDATION) -> Images:
    """A data set, its last `count` training images set apart for validation."""
    training = d.x_train[:-count], d.y_train[:-count]
    validation = d.x_train[-count:], d.y_train[-count:]
    return Images(training, validation, (d.x_test, d.y_test))


def jitter(x: np.ndarray, rng: np.random.Generator, max_shift: int = 1) -> np.ndarray:
    """Moves each image by up to max_shift pixels."""
    return data.random_shift(x, max_shift, rng=rng)


def drop_pixels(x: np.ndarray, rng: np.random.Generator, p: float = 0.2) -> np.ndarray:
    """Sets each pixel to 0 with the probability p, and divides the others by 1 - p: dropout of a network's input."""
    return x * ((rng.random(x.shape, np.float32) >= p) / x.dtype.type(1 - p))


def recipe(epochs: int, lr: float) -> Recipe:
    """SGD with momentum and weight decay, on jittered images, while lr falls along a cosine to 0."""
    return Recipe(epochs, lr, optimizer=with_decay, batch_size=BATCH_SIZE, schedule=optim.CosineLR, augment=jitter)


def fit(model: nn.Module, images: Images, rng: np.random.Generator, recipe: Recipe, **options) -> float:
    """As `fit_and_tell`, with its options. Returns the model's error on the validation images in %."""
    fit_and_tell(model, images, rng, recipe, **options)
    return error(model, images.validation)


def fit_and_tell(
    model: nn.Module,
    images: Images,
    rng: np.random.Generator,
    recipe: Recipe,
    *,
    best: bool = True,
    progress: bool = True,
    description: str = "train",
) -> History:
    """Train the model in one stage. Returns the history.

    best: keep the epoch that is best on the validation images, not the last one. rng: the stage's own generator, which
    shuffles, jitters and drops out. Ctrl-C raises Interrupted; the model then holds what it has learned so far.
    """
    for m in model.modules():
        if isinstance(m, nn.Dropout):
            m.rng = rng
    validation = images.validation if best else None
    options = {"validation": validation, "rng": rng, "progress": progress, "description": description}
    history = follow(recipe, model, images.training, **options)
    if history.interrupted:
        raise Interrupted(f"interrupted in '{description}'; the same command continues from here")
    return history


def with_l1(recipe: Recipe, model: nn.Module, strength: float) -> Recipe:
    """The recipe with L1 regularisation of the model's weights instead of weight decay (L2)."""
    return dataclasses.replace(recipe, optimizer=without_decay, loss=l1_loss(model, strength))


def l1_loss(model: nn.Module, strength: float):
    """Cross-entropy + strength * sum |w| over the model's weights, without the biases."""
    weights = [p for name, p in model.named_parameters() if name.endswith("weight")]

    def loss(outputs, y):
        return F.cross_entropy(outputs, y) + sum(abs(p()).sum() for p in weights) * strength

    return loss


def error(model: nn.Module, xy: Pair) -> float:
    """The model's error on (x, y), in %."""
    return round(100 - 100 * evaluate(model, *xy, progress=False), 2)
