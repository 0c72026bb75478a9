"""TTQ (Zhu, Han, Mao & Dally 2017, "Trained Ternary Quantization", arXiv 1612.01064) against TWN, on LeNet-5.

    w = W_p if W > D,   0 if |W| <= D,   -W_n if W < -D,    D = t max|W|,    t = 0.05

The paper trains residual networks on CIFAR-10 and AlexNet on ImageNet; MNIST and the LeNet-5 of TWN are our stand-in.
The first and the last layer stay floats, as in the paper, for TWN here too. All train with Adam: W_p and W_n are of the
size of a weight, but their gradients are sums over all weights, with which SGD at a weight's rate diverges."""

import functools

from lightnn import optim
from lightnn.compress import use_ternary, use_trained_ternary
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import Subject, Way, low_weights

FULL = Subject(lr=0.001, optimizer=optim.Adam)


def ternary(model, x, use):
    return low_weights(model, use)


def way(use, **options):
    return Way("tern", "32", functools.partial(ternary, use=functools.partial(use, **options)))


WAYS = {"TTQ, t = 0.05": way(use_trained_ternary, t=0.05), "TWN, D = 0.7 E|W|": way(use_ternary, factor=0.7)}

reproduce = low_bits.reproduction(FULL, WAYS)
