"""What else a student can learn from a teacher than its outputs: three losses on features.

    hint        the features themselves, through a regressor r       (Romero et al. 2015, FitNets, arXiv 1412.6550)
    attention   where the features are large                         (Zagoruyko & Komodakis 2017, arXiv 1612.03928)
    relation    how far apart the images of a batch are              (Park, Kim, Lu & Cho 2019, arXiv 1904.05068)

`FeatureStudent` is a network that is trained so.
"""

from collections.abc import Callable

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad, op

LEAST = 1e-12  # what a norm or a distance is at least


@exercise("05.6")
@op
def attention_loss(a, b):
    """(1 / N) sum_n |Q_n(a) - Q_n(b)|^2 of features a (N, C, H, W) and b (N, C', H, W), from 0 to 4:

        F(a) = sum over the channels of a^2,    Q_n = vec(F_n) / |vec(F_n)|

    Zagoruyko & Komodakis 2017, arXiv 1612.03928, equation 2 with p = 2, squared. A norm is at least LEAST, so an image
    without any feature has Q = 0 and the gradient 0. Only a gets a gradient, it is the student's:

        dQ = (2 / N) (Q(a) - Q(b))
        dF = (dQ - Q sum(dQ Q)) / |F|,    da = 2 a dF

    The value is in a's dtype. TypeError unless a and b are float32 or float64, both the same. ValueError for other
    shapes and for N = 0.
    """
    check.floating("attention_loss", a=a, b=b)
    fits = a.ndim == b.ndim == 4 and a.shape[0] == b.shape[0] > 0 and a.shape[2:] == b.shape[2:]
    check.shape("attention_loss", "a (N, C, H, W) and b (N, C', H, W), N > 0", fits, a=a, b=b)
    n = len(a)
    F_a, F_b = ((f * f).sum(1).reshape(n, -1) for f in (a, b))
    norm_a, norm_b = (np.maximum(np.sqrt((f * f).sum(1, keepdims=True)), f.dtype.type(LEAST)) for f in (F_a, F_b))
    Q = F_a / norm_a
    apart = Q - F_b / norm_b

    def vjp(dy):
        dQ = 2 * dy / n * apart
        dF = (dQ - Q * (dQ * Q).sum(1, keepdims=True)) / norm_a
        return 2 * a * dF.reshape(n, 1, *a.shape[2:])

    return np.asarray((apart * apart).sum() / n, a.dtype)[()], vjp, None


@exercise("05.7")
@op
def relation_loss(a, b):
    """The mean over all pairs i != j of h(psi_ij(a) - psi_ij(b)), for features a (N, ...) and b (N, ...), N > 1:

        psi_ij(a) = |a_i - a_j| / mean over the pairs i != j of |a_i - a_j|
        h(t) = t^2 / 2 for |t| <= 1, else |t| - 1 / 2

    Park, Kim, Lu & Cho 2019, arXiv 1904.05068, equations 3 to 6, the loss of distances. Features of an image are all
    that follows the first axis; a and b may have different shapes there. A mean is at least LEAST. Only a gets a
    gradient: it is the student's. It goes through psi's mean as well; two images at the same place pull at nothing.
    Value and gradient are in a's dtype. TypeError unless a and b are float32 or float64, both the same. ValueError
    unless both have the same N > 1.
    """
    check.floating("relation_loss", a=a, b=b)
    check.shape("relation_loss", "features of one batch, N > 1", len(a) == len(b) > 1, a=a, b=b)
    flat, pairs = a.reshape(len(a), -1), len(a) * (len(a) - 1)
    dist, theirs = distances(flat), distances(b.reshape(len(b), -1))
    mean = max(dist.sum() / pairs, LEAST)
    t = dist / mean - theirs / max(theirs.sum() / pairs, LEAST)
    L = np.where(np.abs(t) <= 1, t * t / 2, np.abs(t) - 0.5).sum() / pairs

    def vjp(dy):
        g = dy * np.clip(t, -1, 1) / pairs  # dL/dpsi
        ddist = (g - (g * dist).sum() / (pairs * mean)) / mean  # psi = dist / mean(dist), off the diagonal
        pull = np.where(dist > LEAST, ddist / np.maximum(dist, LEAST), 0)
        return (2 * (pull.sum(1, keepdims=True) * flat - pull @ flat)).astype(a.dtype).reshape(a.shape)

    return np.asarray(L, a.dtype)[()], vjp, None


def distances(a: np.ndarray) -> np.ndarray:
    """|a_i - a_j| (N, N) of the rows of a (N, M), in float64, with 0 on the diagonal exactly."""
    a = a.astype(float)
    squares = (a * a).sum(1)
    d = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * a @ a.T, 0))
    np.fill_diagonal(d, 0)
    return d


class FeatureStudent(Module):
    """A student that is trained on its features beside its outputs:

        loss = cross-entropy + weight apart(features of the student, target(x))

        s = FeatureStudent(student, of, target);    train(s, data, loss=s.loss, ...)

    of(student, x) gives (outputs, features), Tensors; target(x) the teacher's features, an array. apart(a, b): such as
    `attention_loss`, `relation_loss`, or F.mse_loss for a hint (where shapes differ, `of` applies the regressor).
    """

    def __init__(
        self,
        student: Module,
        of: Callable[[Module, Tensor], tuple[Tensor, Tensor]],
        target: Callable[[np.ndarray], np.ndarray],
        apart: Callable[[Tensor, np.ndarray], Tensor] = attention_loss,
        weight: float = 1.0,
    ):
        where = "FeatureStudent"
        self.student = student
        self.of, self.target = options.function(f"{where}: of", of), options.function(f"{where}: target", target)
        self.apart = options.function(f"{where}: apart", apart)
        self.weight = options.number(f"{where}: weight", weight, at_least=0)
        self.last = None  # (features, images) of the batch

    def forward(self, x: Tensor) -> Tensor:
        outputs, features = self.of(self.student, x)
        self.last = (features, x.data) if self.training else None
        return outputs

    def loss(self, z: Tensor, y: np.ndarray) -> Tensor:
        if self.last is None or len(self.last[1]) != len(y):
            raise RuntimeError("FeatureStudent: want the network itself to be trained, in training mode, with its loss")
        features, x = self.last
        return F.cross_entropy(z, y) + self.apart(features, self.target(x)) * self.weight


def features_of(teacher: Module, of: Callable) -> Callable[[np.ndarray], np.ndarray]:
    """The target of a FeatureStudent: the teacher's features, in eval mode."""

    @no_grad()
    def target(x):
        with evaluating(teacher):
            return of(teacher, Tensor(x))[1].data

    return target
