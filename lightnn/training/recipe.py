"""How to train, as one value that `follow`, the papers' experiments and their journals pass around."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.nn import Module
from lightnn.optim import SGD, Optimizer
from lightnn.tensor import Tensor


@dataclass(frozen=True, repr=False)
class Recipe:
    """How to train a network: everything except the network, the data and the random draws.

    lr: the learning rate at the start. optimizer(parameters, lr=lr) makes the optimizer, and schedule(optimizer,
    epochs) the schedule that is stepped once an epoch. augment(x, rng) changes the images of each batch.
    loss(outputs, y): if it has a method see(x), that is called first with the batch's images, as a teacher needs it.
    after_step() is called after each update of the weights (to prune gradually, say). `dataclasses.replace` varies a
    recipe.
    """

    epochs: int
    lr: float
    optimizer: Callable[..., Optimizer] = SGD
    batch_size: int = 64
    schedule: Callable | None = None
    loss: Callable[[Tensor, np.ndarray], Tensor] = F.cross_entropy
    augment: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    after_step: Callable[[], None] | None = None

    def __post_init__(self) -> None:
        plain = {
            "epochs": options.times("train: epochs", self.epochs),
            "lr": options.number("train: lr", self.lr, at_least=0),
            "batch_size": options.count("train: batch_size", self.batch_size),
        }
        options.settle(self, **plain)
        for name in ("optimizer", "loss"):
            options.function(f"train: {name}", getattr(self, name))
        for name in ("schedule", "augment", "after_step"):
            options.function(f"train: {name}", getattr(self, name), optional=True)

    def outputs_and_loss(self, model: Module, x: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
        """Of one batch."""
        if hasattr(self.loss, "see"):
            self.loss.see(x)
        outputs = model(Tensor(x))
        return outputs, self.loss(outputs, y)

    def __repr__(self) -> str:
        """The options that are not the default, functions by name: the same in every process."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        default = {f.name: f.default for f in fields(self)}
        shown = (f"{name}={_named(value)}" for name, value in values.items() if value is not default[name])
        return f"Recipe({', '.join(shown)})"


def _named(value):
    """SGD(momentum=0.9) for functools.partial(SGD, momentum=0.9)."""
    if isinstance(value, functools.partial):
        options = (f"{name}={option!r}" for name, option in value.keywords.items())
        return f"{_named(value.func)}({', '.join(options)})"
    return getattr(value, "__name__", None) or repr(value)
