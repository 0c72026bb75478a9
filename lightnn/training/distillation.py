"""Distillation: a student learns from a teacher's outputs, too (Hinton, Vinyals & Dean 2015, arXiv 1503.02531)."""

from collections.abc import Callable

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.nn import Module
from lightnn.tensor import Tensor, no_grad
from lightnn.training.loop import predict


def temperature(where: str, T: float) -> float:
    return options.number(f"{where}: T", T, at_least=2.0**-20, at_most=2.0**20)


def distillation_loss(z: Tensor, v: np.ndarray, T: float = 4.0) -> Tensor:
    """T^2 KL(p || q) of the student's logits z (N, K) against the teacher's v (N, K), averaged over the batch:

        p = softmax(v / T),    q = softmax(z / T),    KL = sum_k p_k (log p_k - log q_k)

    Its gradient in z is T (q - p) / N: with T^2 it keeps its size when T changes (section 2). The teacher gets none.
    """
    T = temperature("distillation_loss", T)
    v = np.asarray(v)
    if v.shape != z.shape or v.ndim != 2 or not len(v):
        raise ValueError(f"distillation_loss: want logits z and v of one shape (N, K), N > 0; got {z.shape}, {v.shape}")
    with no_grad():
        log_p = F.log_softmax(v / v.dtype.type(T)).data
    p, log_q = np.exp(log_p), F.log_softmax(z * (1 / T))
    return ((p * log_p).sum() - (log_q * p).sum()) * (T * T / len(v))


class Distillation:
    """A teacher beside the labels, for a Recipe: loss = (1 - weight) cross-entropy + weight T^2 KL.

        recipe = Recipe(..., loss=d.loss, augment=d.augment)

    d.augment changes the images of a batch by `augment`, and remembers them; d.loss shows them to the teacher.
    """

    def __init__(self, teacher: Module, T: float = 4.0, weight: float = 0.5, augment: Callable | None = None):
        self.teacher, self.T = teacher, temperature("Distillation", T)
        self.weight = options.probability("Distillation: weight", weight)
        self.change, self.x = options.function("Distillation: augment", augment, optional=True), None

    def augment(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        self.x = x if self.change is None else self.change(x, rng)
        return self.x

    def loss(self, z: Tensor, y: np.ndarray) -> Tensor:
        if self.x is None or len(self.x) != len(y):
            raise RuntimeError("Distillation: want augment called with the images of this batch before loss")
        soft = distillation_loss(z, predict(self.teacher, self.x), self.T)
        return F.cross_entropy(z, y) * (1 - self.weight) + soft * self.weight
