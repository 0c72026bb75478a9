"""Cross-layer equalisation (Nagel et al. 2019, "Data-Free Quantization Through Weight Equalization and Bias
Correction", arXiv 1906.04721, section 4.1).

One range for a whole weight tensor serves badly a channel whose weights are all small: after batch-norm folding some
are a hundred times smaller than others, in depthwise layers above all. As relu(s x) = s relu(x) for s > 0, a layer may
give s_i times less in channel i and the next one multiply by s_i:

    W1'[i] = W1[i] / s_i,   b1'[i] = b1[i] / s_i,   W2'[:, i] = s_i W2[:, i]        s_i = sqrt(r1_i r2_i) / r2_i

with r1_i = max |W1[i]| and r2_i = max |W2[:, i]|. Both are then sqrt(r1_i r2_i). The network computes the same.
"""

import copy
import math
from collections.abc import Sequence

import numpy as np

from lightnn.compress.finite import check_finite
from lightnn.compress.structure.wiring import wiring
from lightnn.exercise import exercise
from lightnn.nn import Conv2d, Linear, Module

PASSES = frozenset({"relu", "max_pool2d", "avg_pool2d", "adaptive_avg_pool2d", "shift2d", "flatten", "reshape"})
ROUNDS = 50  # at most, of going through all pairs
CONVERGED = 1e-4


def equalize(model: Module, input_shape: Sequence[int]) -> Module:
    """A new network with equalised weights; its outputs are the model's, up to rounding. Fold batch norm before.

    All pairs of layers are equalised in turn until no s_i differs from 1. A pair is two layers, the second of which
    alone reads the first, through nothing but ReLU, pooling, shifts and flatten (`equalized_pairs` lists them).
    """
    pairs, twin = equalized_pairs(model, input_shape), copy.deepcopy(model)
    modules = dict(twin.named_modules())
    for path in dict.fromkeys(path for pair in pairs for path in pair):
        check_finite(f"equalize: {path}.weight", modules[path].weight.data)
    for _ in range(ROUNDS):
        if max((_equalize(modules[a], modules[b]) for a, b in pairs), default=0.0) < CONVERGED:
            break
    return twin


def equalized_pairs(model: Module, input_shape: Sequence[int]) -> list[tuple[str, str]]:
    """The paths of the pairs of layers that `equalize` works on."""
    run, modules = wiring("equalize", model, input_shape), dict(model.named_modules())
    pairs = []
    for i, step in enumerate(run.steps):
        if not step.op.is_layer or i == run.output:
            continue
        after = _next(run, i)
        if after is not None and all(_is_free(run, modules, s) for s in (step, after)):
            pairs.append((step.module, after.module))
    return pairs


def _next(run, i):
    """The step of the layer that alone reads step i; None if there is none, or something else lies between."""
    while len(run.readers.get(i, ())) == 1 and i != run.output:
        i = run.readers[i][0]
        if run.steps[i].op.is_layer:
            return run.steps[i]
        if run.steps[i].op.name not in PASSES:
            return None
    return None


def _is_free(run, modules, step):
    """Whether the layer of the step is called once and has plain weights (a Mask is no harm)."""
    layer = modules.get(step.module)
    plain = type(layer) in (Conv2d, Linear) and all(p.values is None for _, p in layer.members())
    return plain and run.calls[step.module] == 1


def _equalize(first, second):
    """Equalise a pair in place; returns the largest |log s|."""
    w1, w2 = first.weight, second.weight
    C = len(w1.data)
    by_channel = _inputs_first(w2.data, getattr(second, "groups", 1), C)
    r1, r2 = _largest(w1().data), _largest(_inputs_first(w2().data, getattr(second, "groups", 1), C))
    s = equalizing_scale(r1, r2)
    w1.data = (w1.data / s.reshape(-1, *[1] * (w1.ndim - 1))).astype(w1.dtype)
    if first.bias is not None:
        first.bias.data = (first.bias.data / s).astype(first.bias.dtype)
    scaled = by_channel * s.reshape(-1, 1, 1).astype(w2.dtype)
    w2.data = _as_weight(scaled, w2.shape, getattr(second, "groups", 1))
    return float(np.abs(np.log(s)).max())


@exercise("08.3")
def equalizing_scale(r1: np.ndarray, r2: np.ndarray) -> np.ndarray:
    """s (C,), float64: what layer 1 divides its channel i by, and layer 2 multiplies it by:

        s_i = sqrt(r1_i r2_i) / r2_i

    Both ranges are then sqrt(r1_i r2_i). Where r1_i or r2_i is 0, s_i is 1. r1, r2 (C,): the ranges, lists or arrays
    of numbers >= 0; they stay as they are.
    """
    r1, r2 = np.asarray(r1, np.float64), np.asarray(r2, np.float64)
    both = (r1 > 0) & (r2 > 0)
    return np.sqrt(np.divide(r1, r2, out=np.ones_like(r1), where=both))


def _largest(w):
    return np.abs(w.reshape(len(w), -1)).max(1)


def _inputs_first(w, groups, channels):
    """The weight (O, C/G, ...) as (C, O/G, the rest): all that multiplies input channel i, first. After a flatten, a
    channel has several columns."""
    O, per_group = w.shape[0] // groups, math.prod(w.shape[1:])
    rest = per_group * groups // channels
    w = w.reshape(groups, O, channels // groups, rest)
    return w.transpose(0, 2, 1, 3).reshape(channels, O, rest)


def _as_weight(w, shape, groups):
    """The weight again, from what `_inputs_first` gave."""
    channels, O, rest = w.shape
    return np.ascontiguousarray(w.reshape(groups, channels // groups, O, rest).transpose(0, 2, 1, 3)).reshape(shape)
