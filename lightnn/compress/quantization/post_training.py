"""Post-training quantization to integers of 2 to 8 bits (Jacob et al. 2018, arXiv 1712.05877; Krishnamoorthi 2018,
arXiv 1806.08342).

    w ~ S_w q_w,    x ~ S_x (q_x - Z_x),    y ~ S_y (q_y - Z_y)

`quantize` folds batch norms, gives each layer weights of few bits, and puts a visible nn.FakeQuantize after the
network's input and after each tensor that integer inference must hold. The new network computes in floats what integer
inference computes. It can be saved, and trained on: gradients go straight through the rounding.
"""

from collections.abc import Mapping

import numpy as np

from lightnn import nn, options
from lightnn.compress.quantization.calibration import Choose, calibrate
from lightnn.compress.quantization.observing import check_images
from lightnn.compress.quantization.ranges import min_max_range
from lightnn.compress.quantization.sites import find_sites
from lightnn.compress.structure.norm_folding import fold_batch_norm
from lightnn.compress.structure.wiring import wiring
from lightnn.compress.transforms.affine import Affine, use_affine
from lightnn.models import replace

INT32 = 2**31 - 1
ENDS = 8  # bits of the network's input and output, always


def quantize(
    model: nn.Module,
    x: np.ndarray,
    *,
    bits: int = 8,
    weight_bits: int = 8,
    per_channel: bool = True,
    observing: bool = False,
    choose: Choose = min_max_range,
) -> nn.Module:
    """A new network, in eval mode: weights of weight_bits bits, activations of `bits` bits, input and output of 8.

    x (N, ...): images for calibration. per_channel: a scale for each row of a weight. observing: in training, the
    ranges of activations follow a moving average; else they stay. choose: how far a range reaches, see `calibrate`.
    Biases stay floats: integer inference holds them in 32 bits. A weight that has `values` already, such as a codebook,
    keeps them; masks stay. ValueError names the tensor that no module of its own returns, the module that is called
    twice, the layer whose sums could leave int32.
    """
    x, bits = check_images("quantize", x), options.count("quantize: bits", bits, 2, 8)
    weight_bits = options.count("quantize: weight_bits", weight_bits, 2, 8)
    options.flag("quantize: per_channel", per_channel)
    observing = options.flag("quantize: observing", observing)
    options.function("quantize: choose", choose)
    folded = fold_batch_norm(model, (1, *x.shape[1:]))
    sites = find_sites("quantize", folded, wiring("quantize", folded, (1, *x.shape[1:])))
    _check_sums(dict(folded.named_modules()), sites.layers, weight_bits)
    twin = _with_visible_rounding(folded, sites, bits, observing).eval()
    calibrate(twin, x, choose)
    for path, layer in layers_with_weights(twin).items():
        if layer.weight.values is None:
            set_bits(path, layer, weight_bits, per_channel)
    return twin


def _with_visible_rounding(model, sites, bits, observing):
    """A new network with a FakeQuantize before each module that reads the input and after each that gives a tensor."""
    modules, new = dict(model.named_modules()), {}
    for path in dict.fromkeys([*sites.readers, *sites.givers]):
        widths = [ENDS] * (path in sites.readers), [ENDS if path == sites.output else bits] * (path in sites.givers)
        before, after = ([nn.FakeQuantize(K, observing=observing) for K in side] for side in widths)
        new[path] = nn.Sequential(*before, modules[path], *after)
    return replace(model, new)


def set_bits(path: str, layer: nn.Module, bits: int, per_channel: bool = True) -> None:
    """Give the layer's weight codes of `bits` bits."""
    try:
        layer.weight.values = None
        use_affine(layer.weight, bits, per_channel)
    except ValueError as error:
        raise ValueError(f"quantize: {path}: {error}") from None


def layers_with_weights(model: nn.Module) -> Mapping[str, nn.Module]:
    """{path: layer} of the convolutions and fully connected layers, in the order of the modules."""
    return {path: m for path, m in model.named_modules() if type(m) in (nn.Conv2d, nn.Linear)}


def affine_layers(where: str, model: nn.Module) -> Mapping[str, nn.Module]:
    """Those whose weights are affine codes around 0. ValueError if there are none."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"{where}: want a Module, got {type(model).__name__}")
    layers = {path: m for path, m in layers_with_weights(model).items() if _is_symmetric(m.weight.values)}
    if not layers:
        raise ValueError(f"{where}: want a network that `quantize` has made, got one without affine weights")
    return layers


def _is_symmetric(values):
    return isinstance(values, Affine) and not values.zero_point.any()


def _check_sums(modules, layers, weight_bits):
    """ValueError if a sum of products of codes could leave int32."""
    most = 255 * (2 ** (weight_bits - 1) - 1)
    for path in layers:
        K = modules[path].weight[0].size
        if K * most > INT32:
            raise ValueError(f"quantize: {path}: want sums within int32, got {K} products of up to {most}")
