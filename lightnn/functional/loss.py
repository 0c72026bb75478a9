"""Losses: one number that says how far the outputs are from the targets, averaged over the batch."""

import numpy as np

from lightnn import options
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.tensor import op


@op
def cross_entropy(
    x,
    target,
    *,
    weight: np.ndarray | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
):
    """-log softmax(x_n)[target_n] for logits x (N, K) and integer labels target (N,), averaged over the batch.

    weight (K,): a factor for each class; the mean is then divided by the sum of the labels' weights. Labels equal to
    ignore_index count as nothing. reduction: "mean", "sum", or "none" for the losses (N,). label_smoothing e replaces
    the one-hot target by (1 - e) onehot + e / K (Szegedy et al. 2016, arXiv 1512.00567, section 7). As in PyTorch.

    With q_n, the target times its weights, the loss of n is -sum_k q_nk log p_nk, and its gradient
    p_n sum_k q_nk - q_n: without options, softmax(x) - onehot(target).
    """
    _check_labelled(x, target, options.whole("cross_entropy: ignore_index", ignore_index))
    options.one_of("cross_entropy: reduction", reduction, ("mean", "sum", "none"))
    label_smoothing = options.probability("cross_entropy: label_smoothing", label_smoothing)
    _check_class_weights(x, weight)
    counted = target != ignore_index
    q = _targets(np.where(counted, target, 0), x, weight, label_smoothing) * counted[:, None]
    own = counted if weight is None else np.where(counted, np.asarray(weight)[np.where(counted, target, 0)], 0)
    total = own.sum(dtype=np.float64) if reduction == "mean" else 1.0
    z = x - x.max(1, keepdims=True)
    p = np.exp(z)
    sums = p.sum(1, keepdims=True)
    costs = np.multiply(q, np.log(sums) - z, out=np.zeros_like(q), where=q != 0)
    losses = costs.sum(1)  # a logit of -inf costs only where it is a target

    def vjp(dy):
        d = p / sums * q.sum(1, keepdims=True) - q
        return d * (dy[:, None] if reduction == "none" else x.dtype.type(dy / total))

    if reduction == "none":
        return losses, vjp, None
    with np.errstate(invalid="ignore", divide="ignore"):  # nothing counted: 0 / 0 is NaN, as in PyTorch
        return np.asarray(losses.sum(dtype=np.float64) / total, x.dtype)[()], vjp, None


@exercise("05.2")
def smooth_labels(y: np.ndarray, K: int, e: float = 0.1, dtype=np.float32) -> np.ndarray:
    """q_k = (1 - e) [k = y] + e / K for integer labels y (N,) of K classes: an array (N, K) of the dtype, whose rows
    add up to 1.

    Label smoothing (Szegedy et al. 2016, arXiv 1512.00567, section 7): the target of a teacher that knows nothing but
    the label. With e = 0 it is one-hot, with e = 1 all classes are equal.
    """
    q = np.full((len(y), K), e / K, dtype)
    q[np.arange(len(y)), y] += 1 - e
    return q


def _targets(target, x, weight, label_smoothing):
    """q (N, K): the smoothed one-hot targets times the classes' weights."""
    q = smooth_labels(target, x.shape[1], label_smoothing, x.dtype)
    return q if weight is None else q * np.asarray(weight, x.dtype)


def _check_labelled(x, target, ignore_index):
    check.floating("cross_entropy", x=x)
    fits = x.ndim == 2 and target.shape == x.shape[:1] and len(x) > 0
    check.shape("cross_entropy", "logits x (N, K) and labels target (N,), N > 0", fits, x=x, target=target)
    if target.dtype.kind not in "iu":
        raise TypeError(f"cross_entropy: want integer labels, got dtype {target.dtype}")
    check_labels("cross_entropy", target[target != ignore_index], x.shape[1])


def _check_class_weights(x, weight):
    if weight is not None and (np.shape(weight) != x.shape[1:] or np.asarray(weight).dtype.kind not in "fiu"):
        raise ValueError(f"cross_entropy: want weight ({x.shape[1]},), one number a class; got {np.shape(weight)}")


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


@exercise("09.6")
@op
def squared_hinge(x, target):
    """The loss of an L2-SVM, one against the rest (Tang 2013, arXiv 1306.0239, section 2.2), over a batch of N:

        L = sum_nk max(0, 1 - t_nk x_nk)^2 / N
        t_nk = 1 where k = target_n, else -1
        dL/dx_nk = -2 t_nk max(0, 1 - t_nk x_nk) / N

    x (N, K): the scores, float32 or float64; target (N,): integer labels from 0 to K - 1. N > 0. L has x's dtype. There
    is no gradient for target. TypeError for other dtypes, ValueError for other shapes or labels.
    """
    check.floating("squared_hinge", x=x)
    fits = x.ndim == 2 and target.shape == x.shape[:1] and len(x) > 0
    check.shape("squared_hinge", "scores x (N, K) and labels target (N,), N > 0", fits, x=x, target=target)
    check_labels("squared_hinge", target, x.shape[1])
    t = np.full(x.shape, -1, x.dtype)
    t[np.arange(len(x)), target] = 1
    margin = np.maximum(0, 1 - t * x)
    loss = np.asarray((margin * margin).sum(dtype=np.float64) / len(x), x.dtype)[()]
    return loss, lambda dy: -2 * dy * t * margin / x.dtype.type(len(x)), None


def check_labels(op, target, num_classes):
    """Raise unless target holds integers in [0, num_classes)."""
    if target.dtype.kind not in "iu":
        raise TypeError(f"{op}: want integer labels, got dtype {target.dtype}")
    if target.size and not 0 <= target.min() <= target.max() < num_classes:
        raise ValueError(f"{op}: want labels from 0 to {num_classes - 1}, got {target.min()} to {target.max()}")
