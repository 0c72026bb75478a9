"""Differentiable functions, by PyTorch's names. Each checks its arguments and states its own gradient.

Called with Tensors (or arrays) they return a Tensor; inside, an op sees arrays and returns its value and its vjps (see
`lightnn.tensor.op`). plain.py has the definitions, which the kernels are tested against.
"""

from lightnn.functional.activation import (
    dropout,
    hardswish,
    hardtanh,
    log_softmax,
    logsigmoid,
    relu,
    relu6,
    sigmoid,
    softmax,
    tanh,
)
from lightnn.functional.binary import approx_sign, input_scale, sign
from lightnn.functional.conv import conv2d, depthwise_conv2d, grouped_conv2d
from lightnn.functional.dense import linear
from lightnn.functional.kbit import dorefa_activation, lsq, pact
from lightnn.functional.loss import cross_entropy, mse_loss, squared_hinge
from lightnn.functional.norm import batch_norm
from lightnn.functional.pool import adaptive_avg_pool2d, avg_pool2d, max_pool2d
from lightnn.functional.quantize import affine_dequantize, affine_quantize, fake_quantize, scale_and_zero_point
from lightnn.functional.shape import concat, flatten, pad
from lightnn.functional.shift import channel_shuffle, shift2d

__all__ = [
    "adaptive_avg_pool2d",
    "affine_dequantize",
    "affine_quantize",
    "approx_sign",
    "avg_pool2d",
    "batch_norm",
    "channel_shuffle",
    "concat",
    "conv2d",
    "cross_entropy",
    "depthwise_conv2d",
    "dorefa_activation",
    "dropout",
    "fake_quantize",
    "flatten",
    "grouped_conv2d",
    "hardswish",
    "hardtanh",
    "input_scale",
    "linear",
    "log_softmax",
    "logsigmoid",
    "lsq",
    "max_pool2d",
    "mse_loss",
    "pact",
    "pad",
    "relu",
    "relu6",
    "scale_and_zero_point",
    "shift2d",
    "sigmoid",
    "sign",
    "softmax",
    "squared_hinge",
    "tanh",
]
