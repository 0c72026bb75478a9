"""The small task on which a search compares its candidates: some images, a few epochs, one number.

Validation images are the last training images, set apart for every choice; the test images are not in reach here.
"""

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lightnn import data, nn, options
from lightnn.journal import draws
from lightnn.runtime import lower
from lightnn.training import Recipe, evaluate
from lightnn.training.loop import follow

APART = 5000  # of the training images, from which validation images are taken
LOADERS = {"mnist": data.load_mnist, "fashion_mnist": data.load_fashion_mnist}
Pair = tuple[np.ndarray, np.ndarray]


class Images(NamedTuple):
    """(x, y) each."""

    training: Pair
    validation: Pair


@dataclass(frozen=True)
class Proxy:
    """So many training and validation images of a data set, and the seed of all that is drawn.

    It pickles in a few bytes: each worker loads the images by itself, once.
    """

    data: str = "mnist"
    training: int = 2000
    validation: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        options.one_of("Proxy: data", self.data, list(LOADERS))
        training = options.count("Proxy: training", self.training)
        validation = options.count("Proxy: validation", self.validation, at_most=APART)
        seed = options.seed("Proxy: seed", self.seed)
        options.settle(self, training=training, validation=validation, seed=seed)

    def images(self) -> Images:
        """The first training images, and the first of those set apart for validation."""
        d = _load(self.data)
        apart = len(d.y_train) - APART
        valid = slice(apart, apart + self.validation)
        count = min(self.training, apart)
        return Images((d.x_train[:count], d.y_train[:count]), (d.x_train[valid], d.y_train[valid]))

    def train(self, model: nn.Module, recipe: Recipe, name: str) -> float:
        """Train the model in place by the recipe; its accuracy on the validation images. The name stands for the draws:
        the same name trains the same model to the same weights."""
        images = self.images()
        if recipe.epochs:
            follow(recipe, model, images.training, rng=draws(self.seed, name), progress=False)
        return self.accuracy(model)

    def accuracy(self, model: nn.Module) -> float:
        """In [0, 1]. The model is lowered first, which takes a tenth of the time."""
        return evaluate(lower(model), *self.images().validation, progress=False)


@functools.lru_cache(maxsize=2)
def _load(name):
    return LOADERS[name]()
