"""Training of centroids against a teacher, one layer or all (Stock et al. 2020, arXiv 1907.05686, section 4.1)."""

import contextlib
import functools
from collections.abc import Callable, Iterator

from lightnn import compress, optim
from lightnn.nn import Module, Parameter
from lightnn.training import Recipe, distil

CENTROIDS = functools.partial(compress.CentroidSGD, momentum=0.9, weight_decay=1e-4)


@contextlib.contextmanager
def only(model: Module, own: list[Parameter]) -> Iterator[None]:
    """Nothing but the parameters `own` is trained in here."""
    frozen = [p for p in model.parameters() if p.requires_grad and not any(p is q for q in own)]
    for p in frozen:
        p.requires_grad = False
    try:
        yield
    finally:
        for p in frozen:
            p.requires_grad = True


def for_centroids(teacher: Module, epochs: int, lr: float, batch_size: int, augment: Callable | None = None) -> Recipe:
    """How centroids, and all else that is not frozen, learn from the teacher's outputs alone. The learning rate falls
    along a cosine."""

    def optimizer(parameters, lr):
        return CENTROIDS([p for p in parameters if p.requires_grad], lr=lr)

    return Recipe(epochs, lr, optimizer, batch_size, optim.CosineLR, distil(teacher, 1.0, 1.0), augment)
