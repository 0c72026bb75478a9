"""Elementwise non-linearities, softmax, dropout and stochastic depth."""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.functional import check
from lightnn.kernels.conv import elementwise
from lightnn.tensor import op


@op(channels=same, keeps_zero=True, finishes_layer=True)
def relu(x):
    """max(x, 0); the gradient at 0 is 0. NaN stays NaN."""
    check.floating("relu", x=x)
    return elementwise.relu(x), lambda dy: elementwise.relu_backward(dy, x)


@op(channels=same, keeps_zero=True, finishes_layer=True)
def relu6(x):
    """min(max(x, 0), 6) (Sandler et al. 2018, arXiv 1801.04381); the gradient is 1 strictly between 0 and 6."""
    check.floating("relu6", x=x)
    return elementwise.relu6(x), lambda dy: elementwise.relu6_backward(dy, x)


@op(channels=same, keeps_zero=lambda given: given["min_val"] <= 0 <= given["max_val"], finishes_layer=True)
def hardtanh(x, *, min_val: float = -1.0, max_val: float = 1.0):
    """x clamped to [min_val, max_val]; the gradient is 1 strictly between them."""
    check.floating("hardtanh", x=x)
    min_val, max_val = interval("hardtanh", min_val, max_val)
    return elementwise.clamp(x, min_val, max_val), lambda dy: elementwise.clamp_backward(dy, x, min_val, max_val)


@op(channels=same, keeps_zero=True, finishes_layer=True)
def hardswish(x):
    """x relu6(x + 3) / 6 (Howard et al. 2019, arXiv 1905.02244, section 5.2)."""
    check.floating("hardswish", x=x)
    return elementwise.hardswish(x), lambda dy: elementwise.hardswish_backward(dy, x)


@op(channels=same, finishes_layer=True)
def hardsigmoid(x):
    """relu6(x + 3) / 6, a sigmoid of three straight lines (Howard et al. 2019, arXiv 1905.02244, section 5.2); the
    gradient is 1 / 6 strictly between -3 and 3."""
    check.floating("hardsigmoid", x=x)
    return elementwise.relu6(x + 3) / 6, lambda dy: elementwise.clamp_backward(dy, x, -3.0, 3.0) / 6


@op(channels=same, finishes_layer=True)
def sigmoid(x):
    """1 / (1 + exp(-x)); the gradient is p (1 - p)."""
    check.floating("sigmoid", x=x)
    p, slope = logistic(x)
    return p, lambda dy: dy * slope


def logistic(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(p, p (1 - p)) for p = 1 / (1 + exp(-x)). With z = exp(-|x|), which cannot overflow, p is 1 / (1 + z) or
    z / (1 + z) by the sign of x, and p (1 - p) is z / (1 + z)^2: accurate in both tails."""
    z = np.exp(-np.abs(x))
    return np.where(x < 0, z, 1) / (1 + z), z / (1 + z) ** 2


@op(channels=same, keeps_zero=True, finishes_layer=True)
def silu(x):
    """x sigmoid(x), which EfficientNet calls swish (Ramachandran et al. 2017, arXiv 1710.05941); the gradient is
    s + y (1 - s), s = sigmoid(x). Far to the left y is 0, at minus infinity NaN, as in PyTorch."""
    check.floating("silu", x=x)
    z = np.exp(-np.abs(x))
    s = np.where(x < 0, z, 1) / (1 + z)
    y = x * s
    return y, lambda dy: dy * (s + y * (1 - s))


@op(channels=same)
def logsigmoid(x):
    """log(1 / (1 + exp(-x))) = min(x, 0) - log(1 + exp(-|x|)); the gradient is sigmoid(-x)."""
    check.floating("logsigmoid", x=x)
    z = np.exp(-np.abs(x))
    return np.minimum(x, 0) - np.log1p(z), lambda dy: dy * (np.where(x < 0, 1, z) / (1 + z))


@op(channels=same, keeps_zero=True, finishes_layer=True)
def tanh(x):
    """(exp(x) - exp(-x)) / (exp(x) + exp(-x))."""
    y = np.tanh(x)
    return y, lambda dy: dy * (1 - y * y)


@op
def softmax(x, *, dim: int = -1):
    """p_i = exp(x_i) / sum_j exp(x_j) along `dim`. The largest x is subtracted first: p is the same, and nothing
    overflows."""
    dim = _axis("softmax", x, dim)
    p = np.exp(x - x.max(dim, keepdims=True))
    p /= p.sum(dim, keepdims=True)
    return p, lambda dy: p * (dy - (dy * p).sum(dim, keepdims=True))


@op
def log_softmax(x, *, dim: int = -1):
    """log p_i of `softmax`, as x_i - max - log sum_j exp(x_j - max)."""
    dim = _axis("log_softmax", x, dim)
    z = x - x.max(dim, keepdims=True)
    y = z - np.log(np.exp(z).sum(dim, keepdims=True))
    return y, lambda dy: dy - np.exp(y) * dy.sum(dim, keepdims=True)


@op(channels=same, keeps_zero=True)
def dropout(x, *, p: float = 0.5, training: bool = True, rng: np.random.Generator | int | None = None):
    """Zero each element with probability p and scale the others by 1 / (1 - p) (Srivastava et al. 2014, section 10).

    When not training, and for p = 0, it is the identity; for p = 1, all zeros. rng: Generator or seed, needed when
    training.
    """
    check.floating("dropout", x=x)
    p = options.probability("dropout: p", p)
    rng = None if rng is None else options.generator("dropout: rng", rng)
    if not options.flag("dropout: training", training) or p == 0:
        return x, lambda dy: dy
    if p == 1:
        return np.zeros_like(x), np.zeros_like
    if rng is None:
        raise ValueError("dropout: want rng= (a numpy.random.Generator or a seed) when training, got None")
    keep = rng.random(x.shape, dtype=np.float32) >= p
    scale = keep * x.dtype.type(1 / (1 - p))
    return x * scale, lambda dy: dy * scale


@op(channels=same, keeps_zero=True)
def stochastic_depth(x, *, p: float, training: bool = True, rng: np.random.Generator | int | None = None):
    """Zero each image of x (N, ...) with probability p and scale the others by 1 / (1 - p): for the branch of a
    residual block, which is skipped then (Huang et al. 2016, arXiv 1603.09382, equation 2).

    When not training, and for p = 0, it is the identity. rng: Generator or seed, needed when training.
    """
    check.floating("stochastic_depth", x=x)
    check.shape("stochastic_depth", "x (N, ...)", x.ndim > 0, x=x)
    p = options.probability("stochastic_depth: p", p)
    rng = None if rng is None else options.generator("stochastic_depth: rng", rng)
    if not options.flag("stochastic_depth: training", training) or p == 0:
        return x, lambda dy: dy
    if rng is None:
        raise ValueError("stochastic_depth: want rng= (a numpy.random.Generator or a seed) when training, got None")
    keep = (rng.random(len(x)) >= p).reshape(-1, *[1] * (x.ndim - 1))
    scale = keep * x.dtype.type(1 / (1 - p) if p < 1 else 0)
    return x * scale, lambda dy: dy * scale


def interval(name, min_val, max_val):
    """Both ends, after a check."""
    low = options.number(f"{name}: min_val", min_val, infinite=True)
    high = options.number(f"{name}: max_val", max_val, infinite=True)
    if not low < high:
        raise ValueError(f"{name}: want min_val < max_val, got {min_val!r} and {max_val!r}")
    return low, high


def _axis(op, x, dim):
    """dim as an int, after a check of both."""
    check.floating(op, x=x)
    dim = options.whole(f"{op}: dim", dim)
    if not -x.ndim <= dim < x.ndim or not x.shape[dim]:
        raise ValueError(f"{op}: want dim to name an axis of x {x.shape} that is not empty, got {dim!r}")
    return dim
