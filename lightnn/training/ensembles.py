"""Several teachers as one: the mean of their predictive distributions (Hinton, Vinyals & Dean 2015, arXiv 1503.02531,
section 5.2, where either mean is named)."""

import math
from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.exercise import exercise
from lightnn.nn import Module, ModuleList
from lightnn.tensor import Tensor
from lightnn.training.loop import predict

KINDS = ("arithmetic", "geometric")


@exercise("05.4")
def mean_logits(v: np.ndarray, kind: str) -> np.ndarray:
    """The logits (N, K) of the mean of M teachers with logits v (M, N, K), so that softmax of them is that mean:

        kind "arithmetic":    p = (1 / M) sum_m softmax(v_m)
        kind "geometric":     p proportional to (prod_m softmax(v_m))^(1 / M)

    Returns log p, whose softmax is p, in v's dtype. Logits of +-1000 neither overflow nor give -inf. So the geometric
    mean is the mean of the logits, up to a constant for each image; the arithmetic one is not.
    ValueError for another kind, for other shapes, and for no teacher.
    """
    options.one_of("mean_logits: kind", kind, KINDS)
    if np.ndim(v) != 3 or not len(v):
        raise ValueError(f"mean_logits: want v (M, N, K), M > 0; got {np.shape(v)}")
    log_p = v - np.logaddexp.reduce(v, 2, keepdims=True)
    if kind == "geometric":
        mean = log_p.mean(0)
        return mean - np.logaddexp.reduce(mean, 1, keepdims=True)
    return np.logaddexp.reduce(log_p, 0) - math.log(len(v))


class Ensemble(Module):
    """Several networks that vote: log of the mean of their predictive distributions. For evaluation and as a teacher;
    it gives no gradient."""

    def __init__(self, models: Sequence[Module], kind: str = "arithmetic"):
        self.models = ModuleList(options.listed("Ensemble: models", list(models), "at least one network"))
        self.kind = options.one_of("Ensemble: kind", kind, KINDS)

    def forward(self, x: Tensor) -> Tensor:
        x = x.detach() if isinstance(x, Tensor) else x
        return Tensor(mean_logits(np.stack([model(x).data for model in self.models]), self.kind))


class Remembered(Module):
    """A teacher that has answered already: its outputs of the images x (N, ...), in eval mode, computed once.

        train(student, (x, y), loss=distil(Remembered(Ensemble(ten), x), T=4), ...)

    In an epoch it costs nothing, however many networks it is made of. It knows these images only, bit by bit: a student
    that learns from moved images needs the teacher itself. ValueError for any other image.
    """

    def __init__(self, teacher: Module, x: np.ndarray):
        self.answers = predict(teacher, x)
        self.places = {hash(image.tobytes()): n for n, image in enumerate(x)}

    def forward(self, x: Tensor) -> Tensor:
        found = [self.places.get(hash(image.tobytes())) for image in x.data]
        if None in found:
            raise ValueError(
                f"Remembered: want images it was made with; got {found.count(None)} others of {len(found)}"
            )
        return Tensor(self.answers[found])
