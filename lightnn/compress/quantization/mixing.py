"""Mixed precision: bits for each layer under a budget of bytes, by how much each layer's rounding hurts.

    sensitivity(layer, K) = loss with this layer alone at K bits - loss with all layers as they are

Then greedily: as long as the file is too large, the layer loses a bit for which the loss is expected to grow least for
each byte saved. (Dong et al. 2019, arXiv 1905.03696, rank layers by curvature; here the loss itself is measured.)
"""

import copy
from collections.abc import Callable, Mapping

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.compress.quantization.observing import BATCH_SIZE, check_images
from lightnn.compress.quantization.post_training import affine_layers, set_bits
from lightnn.exercise import exercise
from lightnn.nn import Module
from lightnn.tensor import Tensor
from lightnn.training import predict

FEWEST = 2


def mixed_bits(
    model: Module, x: np.ndarray, y: np.ndarray, budget_bytes: int, size_of: Callable[[Module], int]
) -> tuple[Module, Mapping[str, int]]:
    """(the model, which `quantize` has made, with weights of 2 to 8 bits a layer; {layer: bits}).

    x (N, ...), y (N,): images and labels for the sensitivities. size_of(model): the bytes that count, such as those of
    the file, len(lightnn.io.to_bytes(model)). ValueError if 2 bits everywhere are too many bytes."""
    x, layers = check_images("mixed_bits", x), affine_layers("mixed_bits", model)
    budget_bytes = options.count("mixed_bits: budget_bytes", budget_bytes, at_most=options.WIDEST)
    options.function("mixed_bits: size_of", size_of)
    costs, twin = sensitivities(model, x, y), copy.deepcopy(model)
    own, bits = dict(twin.named_modules()), {path: layer.weight.values.bits for path, layer in layers.items()}
    sizes = {path: layer.weight.size for path, layer in layers.items()}
    while (bytes_now := int(size_of(twin))) > budget_bytes:
        path = cheapest(costs, bits, sizes)
        if path is None:
            raise ValueError(f"mixed_bits: want budget_bytes >= {bytes_now}, which 2 bits take, got {budget_bytes}")
        bits[path] -= 1
        _set(path, own[path], bits[path])
    return twin, bits


@exercise("10.8")
def cheapest(costs: dict, bits: dict, sizes: dict) -> str | None:
    """The layer that loses a bit next: the one for which the loss is expected to grow least for each bit saved,

        price = (costs[layer][K - 1] - costs[layer][K]) / sizes[layer]
        K = bits[layer]

    costs: {layer: {K: how much the loss grows with this layer alone at K bits}}. bits: the layers' bits now. sizes: how
    many weights a layer has; each loses one bit. A layer with FEWEST bits, or fewer, can lose none. Of equal prices the
    layer that comes first in `bits` wins. None if no layer can lose a bit. The arguments stay as they are.
    """
    able = [layer for layer, K in bits.items() if K > FEWEST]

    def price(layer):
        K = bits[layer]
        return (costs[layer][K - 1] - costs[layer][K]) / sizes[layer]

    return min(able, key=price, default=None)


def sensitivities(model: Module, x: np.ndarray, y: np.ndarray) -> dict[str, dict[int, float]]:
    """{layer: {bits: how much the loss grows with this layer alone at these bits}}, from 2 bits to those it has."""
    layers, base, costs = affine_layers("sensitivities", model), _loss(model, x, y), {}
    twin = copy.deepcopy(model)
    own = dict(twin.named_modules())
    for path, layer in layers.items():
        has = layer.weight.values.bits
        costs[path] = {has: 0.0}
        for K in range(has - 1, FEWEST - 1, -1):
            _set(path, own[path], K)
            costs[path][K] = max(_loss(twin, x, y) - base, costs[path][K + 1])  # fewer bits gain nothing but by chance
        own[path].weight.values = copy.deepcopy(layer.weight.values)
    return costs


def _set(path, layer, bits):
    """The layer at these bits, with as many scales as it has."""
    set_bits(path, layer, bits, per_channel=layer.weight.values.scale.size > 1)


def _loss(model, x, y):
    return float(F.cross_entropy(Tensor(predict(model, x, batch_size=BATCH_SIZE)), y).item())
