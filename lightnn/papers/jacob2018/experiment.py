"""Jacob et al. 2018 ("Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference",
arXiv 1712.05877) on LeNet-5: rounded after training, and trained with rounding.

    r = S (q - Z)
    bytes = K n / 8 + 4 for each scale + 1 for each zero point + 4 for each bias + header

The paper's networks are ResNets and MobileNets on ImageNet; MNIST and TWN's LeNet-5 are our stand-in. All layers have K
bits, the first and the last too, as in the paper; the image and the output have 8. Batch norms are folded first. In
training, ranges of activations follow a moving average, and those of weights are measured again after each step. Each
network also runs in integers (runtime.lower_integers), and its classes are compared with those of the simulation."""

import functools

from lightnn import compress
from lightnn.compress import use_affine
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.papers.jacob2018.sizes import sizes_and_classes
from lightnn.papers.lab import low_bits
from lightnn.papers.lab.low_bits import Subject, Way

FULL = Subject()


def quantized(model, x, bits, per_channel=True, observing=False):
    options = {"bits": bits, "weight_bits": bits, "per_channel": per_channel, "observing": observing}
    return compress.quantize(model, x, **options)


def measured_again(model, bits):
    """Let the scales of the weights follow the weights."""
    for layer in layers_with_weights(model).values():
        use_affine(layer.weight, bits)


def way(bits, trained, **options):
    quantize = functools.partial(quantized, bits=bits, observing=trained, **options)
    after = functools.partial(measured_again, bits=bits) if trained else None
    return Way(str(bits), str(bits), quantize, trained, after_step=after, measure=sizes_and_classes)


WAYS = {
    "rounded, per tensor": way(8, False, per_channel=False),
    "rounded, per channel": way(8, False),
    "trained, W8 A8": way(8, True),
    "trained, W4 A4": way(4, True),
}

reproduce = low_bits.reproduction(FULL, WAYS)
