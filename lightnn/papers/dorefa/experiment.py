"""DoReFa-Net (Zhou et al. 2016, "DoReFa-Net: Training Low Bitwidth Convolutional Neural Networks with Low Bitwidth
Gradients", arXiv 1606.06160) on LeNet-5.

    quantize_k(r) = round((2^k - 1) r) / (2^k - 1)
    w = 2 quantize_k(tanh(W) / (2 max|tanh(W)|) + 1/2) - 1,    sign(W) E|W| for k = 1
    a = quantize_k(clip(x, 0, 1)),    dr of G bits, with noise

The paper trains on SVHN and ImageNet from the start; MNIST and TWN's LeNet-5 are our stand-in, and we go on from
floats. The first and the last layer, and what the last one reads, stay floats, as in the paper."""

import functools

from lightnn import nn
from lightnn.compress import use_dorefa
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import Subject, Way, low_inputs, low_weights

FULL = Subject()
BITS = ((1, 1, 32), (1, 2, 32), (2, 2, 32), (4, 4, 32), (1, 2, 6))  # W, A, G


def quantized(model, x, W, A):
    low = low_weights(model, functools.partial(use_dorefa, bits=W))
    return low_inputs(low, functools.partial(nn.DoReFaActivation, A))


def way(W, A, G):
    return Way(str(W), str(A), functools.partial(quantized, W=W, A=A), gradient_bits=None if G == 32 else G)


WAYS = {f"W{W} A{A} G{G}": way(W, A, G) for W, A, G in BITS}

reproduce = low_bits.reproduction(FULL, WAYS)
