"""LSQ (Esser et al. 2020, "Learned Step Size Quantization", arXiv 1902.08153) on LeNet-5.

    v_hat = s round(clip(v / s, -Q_N, Q_P))

The paper quantizes networks for ImageNet, from trained floats on; MNIST and TWN's LeNet-5 are our stand-in. The weights
of the first and the last layer, and what these read, have 8 bits, as in the paper."""

import functools

from lightnn import models, nn
from lightnn.compress import use_lsq
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import Subject, Way, low_inputs, low_weights

FULL = Subject()
BITS, ENDS = (2, 3, 4), 8


def quantized(model, x, bits):
    """ReLU's outputs are not negative, so their codes have no sign; nor do an image's."""
    low = low_weights(low_weights(model, functools.partial(use_lsq, bits=bits)), use_ends, ("conv1", "fc2"))
    low = low_inputs(low, functools.partial(nn.LSQActivation, bits))
    low = low_inputs(low, functools.partial(nn.LSQActivation, ENDS), ("relu3",))
    return models.replace(low, {"conv1": nn.Sequential(nn.LSQActivation(ENDS), low.conv1)})


use_ends = functools.partial(use_lsq, bits=ENDS)
WAYS = {f"W{bits} A{bits}": Way(str(bits), str(bits), functools.partial(quantized, bits=bits)) for bits in BITS}

reproduce = low_bits.reproduction(FULL, WAYS)
