"""Differentiable functions, by PyTorch's names. Each checks its arguments and states its own gradient."""

from lightnn.functional.activation import dropout, log_softmax, relu, sigmoid, softmax, tanh
from lightnn.functional.conv import conv2d
from lightnn.functional.linear import linear
from lightnn.functional.loss import cross_entropy, mse_loss
from lightnn.functional.pool import avg_pool2d, max_pool2d
from lightnn.functional.shape import concat, flatten, pad

__all__ = [
    "avg_pool2d",
    "concat",
    "conv2d",
    "cross_entropy",
    "dropout",
    "flatten",
    "linear",
    "log_softmax",
    "max_pool2d",
    "mse_loss",
    "pad",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]
