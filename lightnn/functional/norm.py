"""Batch normalization (Ioffe & Szegedy 2015, arXiv 1502.03167, algorithms 1 and 2)."""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.functional import check
from lightnn.kernels.conv import norm
from lightnn.tensor import op


def _channels_of_batch_norm(call):
    """A removed channel takes along its entries of the weight, the bias and the statistics; without them, 0 gives 0."""
    if not call.owns(*call.arrays[1:]):
        return None
    for attribute in ("weight", "bias", "running_mean", "running_var"):
        call.use(attribute, 0, call.ids(call.arrays[0]), makes=attribute in ("weight", "bias"))
    return same(call)


@op(channels=_channels_of_batch_norm, keeps_zero=True, finishes_layer=True, weights=("weight", "bias"))
def batch_norm(
    x,
    weight,
    bias,
    *,
    running_mean: np.ndarray,
    running_var: np.ndarray,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
):
    """y = weight (x - mean) / sqrt(var + eps) + bias, for each channel of x (N, C), (N, C, L) or (N, C, H, W).

    In training, mean and var (biased) are the batch's, and the running statistics, arrays (C,), move towards them in
    place: running <- (1 - momentum) running + momentum batch, with the unbiased var, as in PyTorch. Otherwise mean and
    var are the running statistics.
    """
    check.floating("batch_norm", x=x, weight=weight, bias=bias)
    momentum, eps = map(float, momentum_and_eps("batch_norm", momentum, eps))
    vectors = (weight, bias, running_mean, running_var)
    fits = x.ndim in (2, 3, 4) and all(np.shape(v) == x.shape[1:2] for v in vectors)
    want = "x (N, C), (N, C, L) or (N, C, H, W) and vectors (C,)"
    check.shape("batch_norm", want, fits, x=x, weight=weight, bias=bias)
    if options.flag("batch_norm: training", training):
        count = x.size // max(x.shape[1], 1)
        check.shape("batch_norm", "more than one value a channel when training", count > 1, x=x)
        y, mean, var = norm.forward(x, weight, bias, eps)
        running_mean += momentum * (mean - running_mean)
        running_var += momentum * (var * (count / (count - 1)) - running_var)
        return y, *_vjps(norm.backward, x, weight, mean, var, eps)
    mean, var = running_mean.astype(np.float64), running_var.astype(np.float64)
    return norm.forward_eval(x, weight, bias, mean, var, eps), *_vjps(norm.backward_eval, x, weight, mean, var, eps)


def momentum_and_eps(name, momentum, eps):
    """Both, after a check."""
    return options.probability(f"{name}: momentum", momentum), options.number(f"{name}: eps", eps, at_least=0)


def _vjps(backward, x, weight, mean, var, eps):
    """The three vjps. One pass over x and dy computes all of them, when the first one is called."""
    made = []

    def gradient(i):
        def vjp(dy):
            if not made or made[0] is not dy:
                made[:] = [dy, backward(dy, x, weight, mean, var, eps)]
            return made[1][i]

        return vjp

    return gradient(0), gradient(1), gradient(2)
