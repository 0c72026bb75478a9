"""SGD on a clipped gradient, for losses that are steep where training begins."""

import numpy as np

from lightnn import optim

MOST_NORM = 1.0


class ClippedSGD(optim.SGD):
    """SGD whose gradient, over all its parameters, is made no longer than MOST_NORM."""

    def step(self) -> None:
        clip([p for p in self.parameters if p.grad is not None], MOST_NORM)
        super().step()


def clip(parameters: list, most: float) -> float:
    """Scale the gradients of all parameters together, so that their common norm is at most `most`. Returns what it
    was: sqrt(sum of all |g|^2)."""
    norm = float(np.sqrt(sum(np.square(p.grad, dtype=np.float64).sum() for p in parameters)))
    if norm > most:
        for p in parameters:
            p.grad = p.grad * (most / norm)
    return norm
