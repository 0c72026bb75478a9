"""How far the gradient of a network of few bits is from that of its twin in floats."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.nn import Module, Parameter
from lightnn.tensor import Tensor


def weight_gradients(
    model: Module, x: np.ndarray, y: np.ndarray, loss: Callable[[Tensor, np.ndarray], Tensor] = F.cross_entropy
) -> dict[str, np.ndarray]:
    """{name: dL/dW} for each parameter of two or more axes, at its latent weights; L is the loss of one batch, x (N,
    ...) with labels y (N,), in training mode. Nothing of the model is changed but its gradients and the running
    statistics of its batch norms, and it is in training mode afterwards. KeyError if a parameter has no gradient.
    """
    options.function("weight_gradients: loss", loss)
    wanted = {name: p for name, p in model.named_parameters() if p.ndim > 1}
    for p in model.parameters():
        p.grad = None
    loss(model.train()(Tensor(x)), y).backward()
    if without := [name for name, p in wanted.items() if p.grad is None]:
        raise KeyError(f"weight_gradients: want a gradient for each weight, got none for {', '.join(without)}")
    return {name: p.grad for name, p in wanted.items()}


def cosine(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> float:
    """Of the angle between two lists of arrays, each list taken as one vector; 0.0 if one of them is 0.

        cos = a.b / (|a| |b|)

    The arrays of a and b have the same shapes, in the same order. The sums are float64.
    """
    a, b = (np.concatenate([part.ravel() for part in parts]).astype(np.float64) for parts in (a, b))
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / lengths) if lengths else 0.0


def gradient_cosines(a: Mapping[str, np.ndarray], b: Mapping[str, np.ndarray]) -> dict[str, float]:
    """{name: cosine of the two gradients} for each name of a, as `weight_gradients` gives them for a network and its
    twin. 1 says that the straight-through gradient points where the float one does, 0 that it has nothing of it:
    a sign that passes gradients in [-1, 1] only, and passes them as if it were a straight line, makes the layers before
    it see another function (Liu et al. 2018, arXiv 1808.00278, call this the gradient mismatch). KeyError if b lacks a
    name."""
    return {name: cosine([g], [b[name]]) for name, g in a.items()}


def sign_flips(before: np.ndarray, after: np.ndarray) -> float:
    """The fraction of weights whose sign differs between two arrays of one shape: what a step changes in binary
    weights. 0 has the sign +1. 0.0 for arrays without elements. ValueError unless the shapes are the same."""
    if before.shape != after.shape:
        raise ValueError(f"sign_flips: want two arrays of one shape, got {before.shape} and {after.shape}")
    return float(np.mean((before >= 0) != (after >= 0))) if before.size else 0.0


def latent_histogram(p: Parameter, bins: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """(the fraction of latent weights in each bin (bins,), the edges (bins + 1,)) over [-1, 1], where clipping holds
    them. Weights beyond are counted in the first and the last bin. All are 0.0 for a parameter without weights.
    ValueError unless bins is an int from 1 to 2^20."""
    bins = options.count("latent_histogram: bins", bins, at_most=2**20)
    counts, edges = np.histogram(np.clip(p.data, -1, 1), bins, (-1, 1))
    return counts / max(p.size, 1), edges
