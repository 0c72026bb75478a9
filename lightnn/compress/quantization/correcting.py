"""Bias correction (Nagel et al. 2019, arXiv 1906.04721, section 4.2, in the empirical form of its appendix D).

Rounded weights W~ = W + e shift the mean of a layer's outputs, as e does not have the mean 0 over the few inputs of a
depthwise filter. The shift goes into the bias:

    b' = b + E[W x + b] - E[W~ x~ + b]

x: what the layer reads in the float network, x~: in the quantized one, whose layers before it are corrected already.
"""

import copy
from collections.abc import Callable

import numpy as np

from lightnn.compress.quantization.observing import BATCH_SIZE, Seeing, check_images, in_floats, without
from lightnn.compress.quantization.post_training import affine_layers
from lightnn.compress.structure.wiring import wiring
from lightnn.models import replace
from lightnn.nn import Module, Parameter
from lightnn.training import predict


def correct_bias(model: Module, x: np.ndarray) -> Module:
    """A new network: the model, which `quantize` has made, with the biases of its affine layers corrected on x.

    The float network is the model with its latent weights, so this comes before `adaround` and before saving: a loaded
    network has the rounded weights only. A layer without a bias gets one."""
    x, layers = check_images("correct_bias", x), affine_layers("correct_bias", model)
    twin = replace(model, {path: with_bias(layer) for path, layer in layers.items() if layer.bias is None})
    own, want = dict(twin.named_modules()), means(in_floats(twin), list(layers), x)
    for path in in_order(twin, layers, x):
        b = own[path].bias
        shift = want[path] - means(twin, [path], x)[path]
        b.data = (b.data + shift).astype(b.dtype)
    return twin


def with_bias(layer: Module) -> Module:
    """A copy of the layer, with a bias of zeros."""
    twin = copy.deepcopy(layer)
    twin.bias = Parameter(np.zeros(len(layer.weight.data), layer.weight.dtype))
    return twin


def in_order(model: Module, paths, x: np.ndarray) -> list[str]:
    """The paths in the order in which the modules run."""
    run = [step.module for step in wiring("quantization", model, (1, *x.shape[1:])).steps if step.op.is_layer]
    return [path for path in dict.fromkeys(run) if path in paths]


def means(
    model: Module, paths: list[str], x: np.ndarray, of: Callable[[np.ndarray], np.ndarray] = lambda y: y
) -> dict[str, np.ndarray]:
    """{path: the mean of each channel of what the layer gives}, or of(that), channels last."""
    sums, counts, modules = dict.fromkeys(paths, 0.0), dict.fromkeys(paths, 0), dict(model.named_modules())

    def watch(path):
        def see(_, y):
            y = of(np.moveaxis(y, 1, -1) if y.ndim == 4 else y)
            sums[path] = sums[path] + y.reshape(-1, y.shape[-1]).sum(0, dtype=np.float64)
            counts[path] += y.size // y.shape[-1]

        return Seeing(see, copy.deepcopy(modules[path]))

    predict(without(model, paths, watch), x, batch_size=BATCH_SIZE)
    return {path: sums[path] / counts[path] for path in paths}
