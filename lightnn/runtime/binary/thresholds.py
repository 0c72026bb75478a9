"""lower_binary: `lower`, and every batch norm that a sign follows becomes one threshold a channel.

    layer of bits -> [max pool] -> batch norm -> sign     integers n - 2 D against an integer T: no alpha, no bias, no
                                                          batch norm
    anything else -> batch norm -> sign                   float32 numbers against a float32 T

Both give the bits of the float32 network, every rounding included: T is found by asking the batch norm itself
(kernels/binary/thresholds.py). A maximum may stand in between, for alpha x + b rises with x, and its roundings do, too.
A max pooling right before the batch norm moves behind the threshold, where it is OR on words: the largest number of a
window reaches T where one does.
"""

from collections.abc import Sequence

import numpy as np

from lightnn import nn, options
from lightnn.compress.structure.wiring import INPUT, Wiring, wiring
from lightnn.kernels.binary.thresholds import MOST, find_threshold, float_of_order
from lightnn.models.places import put
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.runtime.binary.layers import BinaryConv2d, BinaryLinear
from lightnn.runtime.binary.signs import PackSigns
from lightnn.runtime.lowering import choose, lower
from lightnn.tensor import Tensor, no_grad

SIGNS, NORMS = ("sign", "approx_sign"), (nn.BatchNorm1d, nn.BatchNorm2d)
KEEP_SIGNS = (*SIGNS, "flatten", "reshape", "max_pool2d", "channel_shuffle", "getitem")  # of signs: signs again


def lower_binary(model: Module, input_shape: Sequence[int]) -> Module:
    """`lower(model)` for inputs of input_shape (N, ...), N of no matter, with batch norms and signs folded. Each batch
    norm that only a Sign or ApproxSign reads becomes an Identity, as a max pooling before it does, and the sign a
    PackSigns with thresholds that pools. A layer of bits before it gives integers, and no longer holds alpha and bias.
    The model is left as it is.

    The bits of every sign are those of lower(model), exactly."""
    run = wiring("lower_binary", model, (1, *options.shape("lower_binary: input_shape", input_shape)[1:]))
    modules, lowered, new = dict(model.named_modules()), lower(model), {}
    layers = dict(lowered.named_modules())
    for norm, sign in _pairs(run, modules):
        source = _source(run, modules, norm)
        if source is None:
            T, flip = float_threshold(modules[run.steps[norm].module])
        else:
            layer = layers[run.steps[source].module]
            T, flip = integer_threshold(modules[run.steps[norm].module], layer)
            layer.count_only()
        pool = _pool(run, modules, norm)
        new |= {run.steps[norm].module: nn.Identity(), run.steps[pool].module: nn.Identity()}
        options_of_pool = run.steps[pool].options if pool != norm else None
        new[run.steps[sign].module] = PackSigns.of_thresholds(T, flip, options_of_pool)
    for path, module in new.items():
        put(lowered, path, module.eval())
    return lowered


def _pairs(run: Wiring, modules: dict):
    """(step of a batch norm, step of the sign that alone reads it); both modules are called once."""
    for i, step in enumerate(run.steps):
        j = _reader(run, i)
        if step.op.name == "batch_norm" and j is not None and run.steps[j].op.name in SIGNS:
            norm, sign = step.module, run.steps[j].module
            fits = type(modules.get(norm)) in NORMS and type(modules.get(sign)) in (nn.Sign, nn.ApproxSign)
            if fits and run.calls[norm] == run.calls[sign] == 1 and _is_float32(modules[norm]):
                yield i, j


def _is_float32(norm):
    return norm.running_mean.dtype == np.float32


def _reader(run, i):
    """The only step that reads step i; None if there is none or are several, or i is the output."""
    readers = run.readers.get(i, [])
    return readers[0] if len(readers) == 1 and run.output != i else None


def _pool(run, modules, norm):
    """The step of the max pooling that the batch norm alone reads; if there is none, the batch norm's."""
    i = run.steps[norm].inputs[0]
    if i == INPUT or run.steps[i].op.name != "max_pool2d" or _reader(run, i) is None:
        return norm
    path = run.steps[i].module
    return i if type(modules.get(path)) is nn.MaxPool2d and run.calls[path] == 1 else norm


def _source(run, modules, norm):
    """The step of the layer of bits before the batch norm; None if there is none, or something else reads it."""
    i = run.steps[norm].inputs[0]
    while i != INPUT and run.steps[i].op.name == "max_pool2d" and _reader(run, i) is not None:
        i = run.steps[i].inputs[0]
    if i == INPUT or _reader(run, i) is None or run.steps[i].op.name not in ("linear", "conv2d"):
        return None
    path = run.steps[i].module
    runtime = choose(modules[path])[0] if path in modules and run.calls[path] == 1 else None
    if runtime not in (BinaryLinear, BinaryConv2d) or getattr(modules[path], "groups", 1) != 1:
        return None
    return i if _reads_signs(run, i) else None


def _reads_signs(run, i):
    """Whether what step i reads is -1 and +1 whatever the network's input is."""
    i = run.steps[i].inputs[0]
    while i != INPUT and run.steps[i].op.name in KEEP_SIGNS:
        if run.steps[i].op.name in SIGNS:
            return True
        i = run.steps[i].inputs[0]
    return False


def integer_threshold(norm: Module, layer: BinaryLinear | BinaryConv2d) -> tuple[np.ndarray, np.ndarray]:
    """(T float32, whole numbers, and flip), (O,) each: batch norm of the layer's output >= 0 where (s >= T) ^ flip, for
    its sums s."""
    (scale, bias), n = layer.numbers(), int(np.prod(layer.weight_shape[1:]))
    T, flip = find_threshold(lambda s: _holds(norm, s.astype(np.float32) * scale + bias), -n, n, len(scale))
    return T.astype(np.float32), flip


def float_threshold(norm: Module) -> tuple[np.ndarray, np.ndarray]:
    """(T float32, flip), (C,) each: norm(x) >= 0 where (x >= T) ^ flip, for every finite float32 x."""
    T, flip = find_threshold(lambda k: _holds(norm, float_of_order(k)), -MOST, MOST, len(norm.running_mean))
    return float_of_order(T), flip


def _holds(norm, x):
    """norm(x) >= 0 for a number a channel, as the network computes it."""
    shape = (1, -1) if isinstance(norm, nn.BatchNorm1d) else (1, -1, 1, 1)
    with evaluating(norm), no_grad(), np.errstate(all="ignore"):
        return norm(Tensor(x.reshape(shape))).data.reshape(-1) >= 0
