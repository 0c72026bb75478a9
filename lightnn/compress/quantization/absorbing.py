"""High-bias absorption (Nagel et al. 2019, arXiv 1906.04721, section 4.1.3).

Equalisation with s_i < 1 makes a bias larger, and with it the range of the activations. If a channel's outputs before
the ReLU are above some c_i for almost every input, the part c_i of its bias can move into the next layer:

    relu(W1 x + b1 - c) = relu(W1 x + b1) - c    where W1 x + b1 > c
    b1' = b1 - c,    b2' = b2 + W2 c,    c_i = max(0, beta_i - 3 gamma_i)

beta_i and gamma_i are the mean and the standard deviation of (W1 x + b1)_i. The paper takes them from batch norm; here
they are measured on images, as batch norm is folded by then. For normally distributed outputs, 99.865 % are above c_i.
"""

import numpy as np

from lightnn.compress.finite import check_finite
from lightnn.compress.quantization.correcting import means, with_bias
from lightnn.compress.quantization.equalizing import pairs_through
from lightnn.compress.quantization.observing import check_images
from lightnn.models import replace
from lightnn.nn import Module

SHIFT_THROUGH = frozenset({"relu", "max_pool2d", "adaptive_avg_pool2d", "flatten", "reshape"})


def absorb_high_biases(model: Module, x: np.ndarray) -> Module:
    """A new network that computes the same but for the few numbers below c_i; its activations have shorter ranges.

    x (N, ...): images that beta and gamma are measured on. It works on the pairs of `equalized_pairs` with nothing but
    ReLU, max-pooling, pooling to a given size and flatten between the two layers, and no zeros padded to what the
    second one reads: c would be missing there. Fold batch norm and equalise before, quantize after.
    """
    x = check_images("absorb_high_biases", x)
    pairs = pairs_through("absorb_high_biases", model, (1, *x.shape[1:]), SHIFT_THROUGH)
    modules = dict(model.named_modules())
    pairs = [(a, b) for a, b in pairs if modules[a].bias is not None and not np.any(getattr(modules[b], "padding", 0))]
    for path in dict.fromkeys(path for pair in pairs for path in pair):
        check_finite(f"absorb_high_biases: {path}.weight", modules[path].weight.data)
    twin = replace(model, {b: with_bias(modules[b]) for _, b in pairs if modules[b].bias is None})
    own = dict(twin.named_modules())
    for (a, b), c in zip(pairs, _thresholds(model, [a for a, _ in pairs], x), strict=True):
        first, second = own[a].bias, own[b]
        first.data = (first.data - c).astype(first.dtype)
        second.bias.data = (second.bias.data + _times(second, c)).astype(second.bias.dtype)
    return twin


def high_bias(beta: np.ndarray, gamma: np.ndarray) -> np.ndarray:
    """c = max(0, beta - 3 gamma)."""
    return np.maximum(0, np.asarray(beta) - 3 * np.asarray(gamma))


def _thresholds(model, paths, x):
    """c of each layer, (O,) in float64."""
    for both in means(model, paths, x, _and_squares).values():
        beta, squares = np.split(both, 2)
        yield high_bias(beta, np.sqrt(np.maximum(squares - beta**2, 0)))


def _and_squares(y):
    y = y.astype(np.float64)
    return np.concatenate([y, y**2], axis=-1)


def _times(layer, c):
    """W2 c (O,): c_i times all that multiplies input channel i. After a flatten, a channel has several columns."""
    w, groups = layer.weight().data.astype(np.float64), getattr(layer, "groups", 1)
    by_channel = w.reshape(groups, len(w) // groups, len(c) // groups, -1).sum(3)
    return (by_channel * c.reshape(groups, 1, -1)).sum(2).reshape(-1)
