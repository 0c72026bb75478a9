"""PACT (Choi et al. 2018, "PACT: Parameterized Clipping Activation for Quantized Neural Networks", arXiv 1805.06085),
against a clip that stays, on LeNet-5.

    y = a quantize_k(clip(x, 0, a) / a),    dy/da = 1 if x >= a else 0

The paper quantizes ResNets on CIFAR-10 and ImageNet, with a from 10 on over many epochs; MNIST and TWN's LeNet-5 are
our stand-in, and a begins at 3 in both ways, since few epochs do not bring it down from 10. Weights are DoReFa's, of as
many bits, as in the paper. The first and the last layer, and what the last one reads, stay floats, as in the paper."""

import functools

from lightnn import nn
from lightnn.compress import use_dorefa
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import Subject, Way, low_inputs, low_weights

FULL = Subject()
BITS, ALPHA = (2, 3, 4), 3.0


def quantized(model, x, bits):
    low = low_weights(model, functools.partial(use_dorefa, bits=bits))
    return low_inputs(low, functools.partial(nn.PACT, bits, ALPHA))


def clips(model):
    """The Parameters a."""
    return [m.clip for m in model.modules() if isinstance(m, nn.PACT)]


def put_back(model):
    """Let a stay where it began."""
    for a in clips(model):
        a.data[:] = ALPHA


def left(model, images):
    """Where training left a."""
    return {"a": [round(a.data.item(), 3) for a in clips(model)]}


def way(bits, learned):
    quantize = functools.partial(quantized, bits=bits)
    return Way(str(bits), str(bits), quantize, after_step=None if learned else put_back, measure=left)


WAYS = {f"{bits} bits, a {'learned' if on else 'fixed'}": way(bits, on) for bits in BITS for on in (True, False)}

reproduce = low_bits.reproduction(FULL, WAYS)
