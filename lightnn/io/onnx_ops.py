"""How each op is said in ONNX (opset 17): one rule an op, in `RULES` by the op's name.

    @exports("relu")
    def _(call):
        return call.node("Relu", call.value(0))

A rule adds nodes for one `Call` and returns the name of what is the op's y. Rules of ops that only move numbers or
reduce axes are in onnx_shapes, those about codes in onnx_quantized. The size of the images is written into the file,
that of the batch is not. The operators are defined in github.com/onnx/onnx, docs/Operators.md.
"""

import numpy as np

from lightnn import options
from lightnn.io import onnx_shapes
from lightnn.io.onnx_graph import table
from lightnn.io.onnx_quantized import fake_quantize, layer_inputs, weight

RULES, exports = table()


def _alike(name, **attributes):
    """The rule of an op that ONNX has as it is."""
    return lambda call: call.node(name, *map(call.value, range(len(call.arrays))), **attributes)


NAMES = "add:Add sub:Sub mul:Mul div:Div neg:Neg absolute:Abs exp:Exp log:Log sqrt:Sqrt matmul:MatMul relu:Relu"
NAMES += " sigmoid:Sigmoid tanh:Tanh hardswish:HardSwish"
RULES.update(onnx_shapes.RULES, fake_quantize=fake_quantize)
RULES.update({op: _alike(name) for op, name in (pair.split(":") for pair in NAMES.split())})


@exports("conv2d", "grouped_conv2d", "depthwise_conv2d")
def _convolution(call):
    x, w, _ = call.arrays
    stride, padding, dilation = (options.pair(name, call.options[name]) for name in ("stride", "padding", "dilation"))
    return call.node(
        "Conv",
        *layer_inputs(call),
        kernel_shape=list(w.shape[2:]),
        strides=list(stride),
        pads=[*padding, *padding],
        dilations=list(dilation),
        group=x.shape[1] // w.shape[1],
    )


@exports("linear")
def _linear(call):
    x, w, b = call.arrays
    if x.ndim == 2:
        return call.node("Gemm", *layer_inputs(call), transB=1)
    y = call.node("MatMul", call.value(0), call.node("Transpose", weight(call), perm=[1, 0]))
    return y if b is None else call.node("Add", y, call.value(2))


@exports("batch_norm")
def _batch_norm(call):
    given = call.options
    if given["training"]:
        raise call.error("has no counterpart in ONNX while it trains")
    statistics = [call.floats(given[name]) for name in ("running_mean", "running_var")]
    return call.node("BatchNormalization", *map(call.value, range(3)), *statistics, epsilon=float(given["eps"]))


@exports("dropout")
def _dropout(call):
    if call.y is not call.arrays[0]:
        raise call.error("has no counterpart in ONNX while it trains")
    return call.value(0)


@exports("relu6")
def _relu6(call):
    return call.node("Clip", call.value(0), call.floats(0), call.floats(6))


@exports("hardtanh")
def _hardtanh(call):
    return call.node("Clip", call.value(0), call.floats(call.options["min_val"]), call.floats(call.options["max_val"]))


@exports("sign", "approx_sign")
def _sign(call):
    """ONNX's own Sign(0) is 0."""
    not_negative = call.node("GreaterOrEqual", call.value(0), call.floats(0))
    return call.node("Where", not_negative, call.floats(1), call.floats(-1))


@exports("logsigmoid")
def _logsigmoid(call):
    """log(1 / (1 + exp(-x))) = -softplus(-x)."""
    return call.node("Neg", call.node("Softplus", call.node("Neg", call.value(0))))


@exports("softmax")
def _softmax(call):
    return call.node("Softmax", call.value(0), axis=int(call.options["dim"]))


@exports("log_softmax")
def _log_softmax(call):
    return call.node("LogSoftmax", call.value(0), axis=int(call.options["dim"]))


@exports("pow")
def _pow(call):
    return call.node("Pow", call.value(0), call.floats(call.options["exponent"]))


def _window(call):
    """kernel_shape, strides and pads (top, left, bottom, right) of a pooling. ceil_mode is written out as padding: the
    last window ends where the bottom padding ends."""
    kernel = options.pair("kernel_size", call.options["kernel_size"])
    stride = kernel if call.options["stride"] is None else options.pair("stride", call.options["stride"])
    before = options.pair("padding", call.options["padding"])
    sizes = zip(call.arrays[0].shape[2:], call.y.shape[2:], kernel, stride, before)
    after = [max(p, (out - 1) * s + k - n - p) for n, out, k, s, p in sizes]
    return {"kernel_shape": list(kernel), "strides": list(stride), "pads": [*before, *after]}


@exports("max_pool2d")
def _max_pool(call):
    return call.node("MaxPool", call.value(0), **_window(call))


@exports("avg_pool2d")
def _avg_pool(call):
    """Padding that counts becomes zeros of the image; what ceil_mode adds never counts."""
    x, window = call.value(0), _window(call)
    p = options.pair("padding", call.options["padding"])
    if call.options["count_include_pad"] and any(p):
        x = call.node("Pad", x, call.ints(0, 0, *p, 0, 0, *p))
        window["pads"] = [0, 0, *(after - n for after, n in zip(window["pads"][2:], p))]
    return call.node("AveragePool", x, **window, count_include_pad=0)


@exports("input_scale")
def _input_scale(call):
    """The mean of |x| over the channels, then over each window, the zeros of the padding included."""
    A = call.node("ReduceMean", call.node("Abs", call.value(0)), axes=[1], keepdims=1)
    return call.node("AveragePool", A, **_window(call), count_include_pad=1)


@exports("adaptive_avg_pool2d")
def _adaptive_avg_pool(call):
    """Windows of unequal size are two products with matrices of means: y = A x B^T."""
    size, out = call.arrays[0].shape[2:], call.y.shape[2:]
    if out == (1, 1):
        return call.node("GlobalAveragePool", call.value(0))
    if all(n % k == 0 for n, k in zip(size, out)):
        window = [n // k for n, k in zip(size, out)]
        return call.node("AveragePool", call.value(0), kernel_shape=window, strides=window)
    A, B = (_means(n, k) for n, k in zip(size, out))
    return call.node("MatMul", call.floats(A), call.node("MatMul", call.value(0), call.floats(B.T)))


def _means(n, k):
    """(k, n): row i has 1 / count at the pixels floor(i n / k) to ceil((i + 1) n / k) - 1."""
    means = np.zeros((k, n), np.float32)
    for i in range(k):
        first, end = i * n // k, -(-(i + 1) * n // k)
        means[i, first:end] = 1 / (end - first)
    return means


@exports("shift2d")
def _shift(call):
    """A depthwise convolution with a single 1 in each filter: y[c, h, w] = x[c, h + dy[c], w + dx[c]]."""
    x, dy, dx = call.arrays
    inside = (abs(dy) < x.shape[2]) & (abs(dx) < x.shape[3])  # other channels are all zeros
    reach = [int(abs(d[inside]).max(initial=0)) for d in (dy, dx)]
    w = np.zeros((x.shape[1], 1, 2 * reach[0] + 1, 2 * reach[1] + 1), np.float32)
    w[inside, 0, dy[inside] + reach[0], dx[inside] + reach[1]] = 1
    return call.node("Conv", call.value(0), call.floats(w), pads=[*reach, *reach], group=x.shape[1])


@exports("channel_shuffle")
def _shuffle(call):
    (_, c, h, w), g = call.arrays[0].shape, int(call.options["groups"])
    split = call.node("Reshape", call.value(0), call.ints(0, g, c // g, h, w))
    return call.node("Reshape", call.node("Transpose", split, perm=[0, 2, 1, 3, 4]), call.ints(0, c, h, w))
