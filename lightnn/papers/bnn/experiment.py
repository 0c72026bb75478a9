"""BNN (Courbariaux, Hubara, Soudry, El-Yaniv & Bengio 2016, "Binarized Neural Networks: Training Neural Networks with
Weights and Activations Constrained to +1 or -1", arXiv 1602.02830) on MNIST, with the paper's 3 x 2048 units.

    h = sign(batch norm(sign(W) h_before)),    dL/dx = dL/dh 1[|x| <= 1]

As in the paper: batch norm after each layer, the loss of an L2-SVM, all four layers binary, no augmentation; the first
layer reads the pixels, not signs. The paper's Torch7 run takes shift-based batch norm and AdaMax, we take the exact
ones with Adam, and train for fewer epochs."""

import dataclasses
from collections.abc import Callable

from lightnn import models
from lightnn.compress import use_binary
from lightnn.papers.lab import one_bit
from lightnn.papers.lab.journal import Journal
from lightnn.papers.lab.one_bit import RECIPE, Subject, Way, binary

QUICK = {"epochs": 2, "images": 10_000}
FULL = Subject("bnn_mlp on MNIST", dataclasses.replace(RECIPE, batch_size=100))


def bnn(rng):
    return binary(models.bnn_mlp(rng=rng), use_binary, rng)


WAYS = {"BNN": Way("1", "1", bnn)}


def reproduce(
    journal: Journal,
    seed: int = 0,
    quick: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict:
    """The numbers of `one_bit.measure`. say: called with a line of text after each network."""
    subject = one_bit.quick(FULL, **QUICK) if quick else FULL
    return one_bit.measure(subject, WAYS, journal, seed, progress, say)
