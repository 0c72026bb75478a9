"""TWN (Li, Zhang & Liu 2016, "Ternary Weight Networks", arXiv 1605.04711) on MNIST, with the paper's own network.

    w = alpha if W > D,   0 if |W| <= D,   -alpha if W < -D,    D = 0.7 E|W|,    alpha = E[|W| : |W| > D]

D is 0.75 E|W| in later versions of the paper. All four layers are ternary, the first and the last too: the description
of the network in the authors' code makes no exception. There, the loss is softmax cross-entropy, as here; the text of
the paper says SVM. The paper trains ternary weights from the start, we go on from floats."""

import functools

from lightnn.compress import use_ternary
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import LAYERS, Subject, Way, low_weights

FULL = Subject()


def ternary(model, x, factor):
    return low_weights(model, functools.partial(use_ternary, factor=factor), LAYERS)


WAYS = {
    "D = 0.7 E|W|": Way("tern", "32", functools.partial(ternary, factor=0.7)),
    "D = 0.75 E|W|": Way("tern", "32", functools.partial(ternary, factor=0.75)),
}

reproduce = low_bits.reproduction(FULL, WAYS)
