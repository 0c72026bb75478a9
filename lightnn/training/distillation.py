"""Distillation: a student learns from a teacher's outputs, too (Hinton, Vinyals & Dean 2015, arXiv 1503.02531)."""

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.nn import Module
from lightnn.tensor import Tensor, op
from lightnn.training.loop import predict


def temperature(where: str, T: float) -> float:
    return options.number(f"{where}: T", T, at_least=2.0**-20, at_most=2.0**20)


@exercise("05.1")
def soft_targets(v: np.ndarray, T: float = 1.0) -> np.ndarray:
    """p_k = exp(v_k / T) / sum_j exp(v_j / T) of the logits v (..., K) along their last axis, in v's shape and dtype:
    what a teacher says at the temperature T (Hinton et al. 2015, arXiv 1503.02531, equation 1).

    T = 1 is the softmax; a larger T is softer. Logits of +-10000 do not overflow. ValueError unless T is a number from
    2^-20 to 2^20.
    """
    T = temperature("soft_targets", T)
    e = np.exp((v - v.max(-1, keepdims=True)) / T)
    return e / e.sum(-1, keepdims=True)


@exercise("05.5")
@op
def distillation_loss(z, v, *, T: float = 4.0):
    """L = T^2 KL(p || q) of the student's logits z (N, K) against the teacher's v (N, K), averaged over the batch:

        p = softmax(v / T),    q = softmax(z / T)
        KL = sum_k p_k (log p_k - log q_k)
        dL/dz = T (q - p) / N

    With T^2 the gradient keeps its size when T changes (Hinton et al. 2015, arXiv 1503.02531, section 2). v gets none.
    Both are in z's dtype; the sums are float64, and logits of +-10000 do not overflow. TypeError unless z and v are
    float32 or float64, both the same. ValueError for other shapes, for N = 0, and unless T is a number from 2^-20 to
    2^20.
    """
    T = temperature("distillation_loss", T)
    check.floating("distillation_loss", z=z, v=v)
    fits = z.shape == v.shape and z.ndim == 2 and len(z) > 0
    check.shape("distillation_loss", "logits z and v of one shape (N, K), N > 0", fits, z=z, v=v)
    log_p, log_q = (a / T - np.logaddexp.reduce(a / T, 1, keepdims=True) for a in (v.astype(float), z.astype(float)))
    p, n = np.exp(log_p), len(z)
    L = T * T * (p * (log_p - log_q)).sum() / n
    return np.asarray(L, z.dtype)[()], lambda dy: (dy * T * (np.exp(log_q) - p) / n).astype(z.dtype), None


class Distillation:
    """What `distil` gives: a loss that shows each batch to the teacher, too."""

    def __init__(self, teacher: Module, T: float = 4.0, weight: float = 0.5):
        self.teacher, self.T = teacher, temperature("distil", T)
        self.weight, self.x = options.probability("distil: weight", weight), None

    def see(self, x: np.ndarray) -> None:
        """The images of the batch of which the loss is asked next."""
        self.x = x

    def __call__(self, z: Tensor, y: np.ndarray) -> Tensor:
        if self.x is None or len(self.x) != len(y):
            raise RuntimeError("distil: want see(x) called with the images of this batch before the loss")
        soft = distillation_loss(z, predict(self.teacher, self.x), T=self.T)
        if self.weight == 1:
            return soft
        return F.cross_entropy(z, y) * (1 - self.weight) + soft * self.weight

    def __repr__(self):
        return f"distil({type(self.teacher).__name__}, T={self.T:g}, weight={self.weight:g})"


def distil(teacher: Module, T: float = 4.0, weight: float = 0.5) -> Distillation:
    """A loss for `train` or a Recipe, that learns from a teacher beside the labels:

        loss = (1 - weight) cross-entropy(z, y) + weight T^2 KL(softmax(v / T) || softmax(z / T))

        train(student, data, loss=distil(teacher, T=4), ...)

    v are the teacher's logits of the images that the student sees, augmented or not; the teacher may be an `Ensemble`.
    With weight 1 the labels count for nothing.
    """
    return Distillation(teacher, T, weight)
