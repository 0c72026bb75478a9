"""Quantizing a network's blocks layer by layer, and training its centroids (Stock et al. 2020, "And the Bit Goes Down",
arXiv 1907.05686, sections 3.4 and 4.1).

From the first layer to the last: the inputs of a layer are collected in the network as it is by then, its blocks get
codes and centroids, and its centroids are trained a little, before the next layer sees the result. The codes stay.
"""

import copy
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from lightnn import options
from lightnn.compress.quantization.correcting import in_order
from lightnn.compress.quantization.observing import check_images, inputs_and_outputs
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.compress.quantization.product_codes import input_gram, product_quantize
from lightnn.compress.transforms.product import Product, mean_gradient
from lightnn.nn import Conv2d, Linear, Module, Parameter
from lightnn.optim import SGD


class CentroidSGD(SGD):
    """SGD whose step of a centroid follows the mean of its blocks' gradients, not their sum (section 3.4):

        c_j <- c_j - lr (1 / |J_j|) sum over p in J_j of dL/dblock_p,    J_j = {p : I_p = j}

    Momentum and weight decay are SGD's. All parameters without a Product are SGD's, too."""

    def __init__(self, parameters: Iterable[Parameter], lr: float, momentum: float = 0.0, weight_decay: float = 0.0):
        super().__init__(parameters, lr, momentum, weight_decay)
        values = [getattr(p, "values", None) for p in self.parameters]
        self._codes = {id(v.codebook): v.codes for v in values if isinstance(v, Product)}

    def update(self, i, p):
        if id(p) in self._codes:
            p.grad = mean_gradient(p.grad, self._codes[id(p)])
        super().update(i, p)


def block_sizes(model: Module, kernels: int = 9, pointwise: int = 4, linear: int = 4) -> dict[str, int]:
    """{path: d} of the layers that the paper quantizes: all Linear layers and all convolutions of one group but the
    first layer. d weights a block: `kernels` of a convolution with a larger kernel than 1 x 1 (9 is one 3 x 3 kernel,
    18 two), `pointwise` of a 1 x 1 convolution. A layer whose rows d does not divide is left out."""
    sizes, given = {}, {"kernels": kernels, "pointwise": pointwise, "linear": linear}
    kernels, pointwise, linear = options.counts("block_sizes", **given)
    for path, layer in list(layers_with_weights(model).items())[1:]:
        if isinstance(layer, Linear):
            d = linear
        elif isinstance(layer, Conv2d) and layer.groups == 1:
            d = pointwise if layer.kernel_size == (1, 1) else kernels
        else:
            continue
        if layer.weight.data[0].size % d == 0:
            sizes[path] = d
    return sizes


def quantize_blocks(
    model: Module,
    x: np.ndarray,
    sizes: Mapping[str, int],
    k: int = 256,
    *,
    weighted: bool = True,
    iterations: int = 100,
    tune: Callable[[Module, str], None] | None = None,
    rng: options.Rng = 0,
) -> Module:
    """A new network, the model with the layers in sizes, {path: d}, quantized to k centroids of d weights each.

    x: images (N, ...), without labels. weighted, iterations: see `product_quantize`; False is plain product
    quantization. tune(network, path) may train the network after each layer; only that layer's centroids should move.
    ValueError for a path that is no Linear layer or convolution of one group."""
    where = "quantize_blocks"
    x, rng = check_images(where, x), options.generator(f"{where}: rng", rng)
    layers = layers_with_weights(model)
    for path, d in options.named(f"{where}: sizes", sizes).items():
        layer = layers.get(path)
        if not isinstance(layer, Linear | Conv2d) or getattr(layer, "groups", 1) > 1:
            raise ValueError(f"{where}: want paths of Linear layers and convolutions of one group, got {path}")
        options.count(f"{where}: sizes[{path!r}]", d)
    options.flag(f"{where}: weighted", weighted)
    iterations = options.times(f"{where}: iterations", iterations)
    options.function(f"{where}: tune", tune, optional=True)
    twin = copy.deepcopy(model).eval()
    for path in in_order(model, list(sizes), x):
        layer, d = dict(twin.named_modules())[path], sizes[path]
        G = input_gram(layer, inputs_and_outputs(twin, path, x)[0], d) if weighted else None
        product_quantize(layer.weight, k, d, G, iterations, rng)
        if tune is not None:
            tune(twin, path)
            twin.eval()
    return twin
