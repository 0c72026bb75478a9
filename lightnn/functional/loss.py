"""Losses: one number that says how far the outputs are from the targets, averaged over the batch."""

import numpy as np

from lightnn.functional import check
from lightnn.tensor import op


@op
def cross_entropy(x, target):
    """-mean_n log softmax(x_n)[target_n] for logits x (N, K) and integer labels target (N,).

    The gradient is (softmax(x) - onehot(target)) / N.
    """
    check.floating("cross_entropy", x=x)
    fits = x.ndim == 2 and target.shape == x.shape[:1] and len(x) > 0
    check.shape("cross_entropy", "logits x (N, K) and labels target (N,), N > 0", fits, x=x, target=target)
    check_labels("cross_entropy", target, x.shape[1])
    rows = np.arange(len(x))
    z = x - x.max(1, keepdims=True)
    p = np.exp(z)
    total = p.sum(1, keepdims=True)

    def vjp(dy):
        d = p / total
        d[rows, target] -= 1
        return d * (dy / len(x))

    return np.mean(np.log(total[:, 0]) - z[rows, target], dtype=x.dtype), vjp, None


@op
def mse_loss(x, target):
    """mean (x - target)^2 over all elements; x and target of one shape."""
    check.floating("mse_loss", x=x, target=target)
    check.shape(
        "mse_loss", "x and target of one shape, not empty", x.shape == target.shape and x.size, x=x, target=target
    )
    d = x - target
    slope = 2 / d.size
    return np.mean(d * d, dtype=x.dtype), lambda dy: dy * slope * d, lambda dy: -dy * slope * d


def check_labels(op, target, num_classes):
    """Raise unless target holds integers in [0, num_classes)."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{op}: want integer labels, got dtype {target.dtype}")
    if target.size and not 0 <= target.min() <= target.max() < num_classes:
        raise ValueError(f"{op}: want labels from 0 to {num_classes - 1}, got {target.min()} to {target.max()}")
