"""Steps of layers with weights: what is done once, when a network is lowered.

    q3 = clamp(Z3 + M (b + sum_k (q1_k - Z1) w_k))      M = S1 S2 / S3,  b = round(bias / (S1 S2))

(Jacob et al. 2018, arXiv 1712.05877, equations 4 and 11), M and S2 for each output channel.
"""

import numpy as np

from lightnn import nn
from lightnn.compress import Affine
from lightnn.kernels.quantized import conv, depthwise, requantize
from lightnn.runtime.integers.steps import Codes, Conv2d, DepthwiseConv2d, Linear

MOST_BIAS = 2**30
LAYERS = {"linear": nn.Linear, "conv2d": nn.Conv2d}


def layer_step(layer: nn.Module, x: Codes, y: Codes, image: tuple[int, int, int] | None):
    """The step of a Linear or Conv2d that reads codes x and gives codes y. image: see `channels_last`.

    ValueError if the layer is neither, its weights are no symmetric affine codes, or a sum may leave int32."""
    if type(layer) not in LAYERS.values():
        raise ValueError(f"want a layer of nn.Linear or nn.Conv2d, got {type(layer).__name__}")
    w, S2 = integer_weight(layer.weight)
    w, S2 = (w, S2) if layer.bias is None else room_for_bias(w, S2, layer.bias().data, x.scale)
    scale = x.scale * S2.astype(np.float64)
    b = None if layer.bias is None else np.rint(layer.bias().data / scale).astype(np.int64)
    bounds = {"x_zero": x.zero, "zero": y.zero, "low": y.low, "high": y.high}
    out = requantize.output(w, b, scale / y.scale, **bounds)
    if isinstance(layer, nn.Linear):
        if len(x.shape) != 1:
            raise ValueError(f"want x (N, {layer.weight.shape[1]}) for a Linear, got (N, {str(x.shape)[1:]}")
        return Linear(conv.pack(channels_last(w, image)), out)
    (ph, pw), groups = layer.padding, layer.groups
    padding = ph, ph, pw, pw
    if groups > 1 and w.shape[1] == 1:
        return DepthwiseConv2d(depthwise.pack(w, len(w) // groups, layer.dilation), out, layer.stride, padding)
    return Conv2d(conv.pack(w, groups, layer.dilation), out, layer.stride, padding)


def integer_weight(p: nn.Parameter) -> tuple[np.ndarray, np.ndarray]:
    """(codes int8 of p's shape, 0 where a Mask says so; S2 (1,) or (O,))."""
    values = p.values
    if not isinstance(values, Affine) or values.zero_point.any() or max(-values.q_min, values.q_max) > 127:
        raise ValueError(f"want a weight of affine codes from -127 to 127 with zero point 0, got {values!r}")
    codes = values.encode(p.data)["codes"]
    w = codes if p.support is None else np.where(p.support.mask, codes, 0)
    return w.astype(np.int8), np.broadcast_to(values.scale, (len(w),))


def room_for_bias(w: np.ndarray, S2: np.ndarray, bias: np.ndarray, S1: float) -> tuple[np.ndarray, np.ndarray]:
    """(w, S2) again, coarser in the channels whose |b| = |bias| / (S1 S2) would be above 2^30, and leave int32.

    A batch norm that is folded into a filter of almost no weights makes such channels. Beside a bias of 2^30 steps all
    their products together are too small to be seen in 8 bits."""
    least = np.abs(bias.astype(np.float64)) / (S1 * MOST_BIAS)
    if (least <= S2).all():
        return w, S2
    coarser = np.maximum(S2, least)
    factor = (S2 / coarser).reshape(-1, *[1] * (w.ndim - 1))
    return np.rint(w * factor).astype(np.int8), coarser


def channels_last(w: np.ndarray, image: tuple[int, int, int] | None) -> np.ndarray:
    """w (O, C H W) with its columns in the order (H, W, C) of a flattened image of codes."""
    if image is None:
        return w
    return np.ascontiguousarray(w.reshape(len(w), *image).transpose(0, 2, 3, 1)).reshape(len(w), -1)
