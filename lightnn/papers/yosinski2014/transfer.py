"""A small network, and a network of which some layers come from another one."""

import copy

import numpy as np

from lightnn import nn, optim
from lightnn.journal import draws
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.training import Recipe, evaluate, predict

LAYERS = 5  # the last one has as many outputs as there are classes, and is never transferred
BATCH_SIZE = 50


def network(classes: int, rng=None) -> nn.Module:
    """Five layers, each a Sequential, for images of 14 x 14."""
    rng = nn.init.generator(rng)
    a, b, c = (nn.Conv2d(i, o, 3, padding=1, rng=rng) for i, o in ((1, 16), (16, 16), (16, 32)))
    d, e = nn.Linear(288, 64, rng=rng), nn.Linear(64, classes, rng=rng)
    front = nn.Sequential(a, nn.ReLU(), nn.MaxPool2d(2)), nn.Sequential(b, nn.ReLU())
    middle = nn.Sequential(c, nn.ReLU(), nn.MaxPool2d(2)), nn.Sequential(nn.Flatten(), d, nn.ReLU())
    return nn.Sequential(*front, *middle, nn.Sequential(e))


def halved(x: np.ndarray) -> np.ndarray:
    """Images (N, 1, 28, 28) as (N, 1, 14, 14): means of 2 x 2 pixels."""
    return x.reshape(len(x), 1, 14, 2, 14, 2).mean((3, 5)).astype(np.float32)


def of_classes(images: stage.Images, classes: np.ndarray) -> stage.Images:
    """The images of these classes alone, labelled 0, 1, ... in their order."""
    number = np.full(10, -1)
    number[classes] = np.arange(len(classes))

    def chosen(xy):
        kept = np.isin(xy[1], classes)
        return xy[0][kept], number[xy[1][kept]]

    return stage.Images(*map(chosen, images))


def first(images: stage.Images, count: int) -> stage.Images:
    """The same with the first `count` training images."""
    return images._replace(training=tuple(a[:count] for a in images.training))


def kept(run, name, base, n, images, frozen=False, epochs=None) -> float:
    """One step: % of the test images right when the first n layers are base's and the others are trained anew."""

    def work():
        fresh = list(network(int(images.test[1].max()) + 1, draws(run.seed, f"weights of {name}")))
        front, back = nn.Sequential(*copy.deepcopy(list(base)[:n])), nn.Sequential(*fresh[n:])
        (x, y), (x_test, y_test) = images.training, images.test
        if frozen:  # what it puts out never changes
            x, x_test = predict(front, x), predict(front, x_test)
        model = back if frozen else nn.Sequential(*front, *back)
        train(run, name, model, (x, y), epochs or run.subject.epochs)
        return {"accuracy %": accuracy(model, (x_test, y_test))}

    return run.journal.step(name, work)["accuracy %"]


def train(run: Experiment, name: str, model: nn.Module, xy: stage.Pair, epochs: int, lr: float | None = None) -> None:
    """With Adam, its learning rate along a cosine."""
    recipe = Recipe(epochs, lr or run.subject.lr, optim.Adam, BATCH_SIZE, optim.CosineLR)
    images, options = stage.Images(xy, xy, xy), {"progress": run.progress, "description": name}
    stage.fit_and_tell(model, images, draws(run.seed, f"order of {name}"), recipe, best=False, **options)


def accuracy(model, xy):
    return round(100 * evaluate(model, *xy, progress=False), 2)
