"""The channels between blocks made equally large before rounding, as SmoothQuant does (Xiao et al. 2023, arXiv
2211.10438, equations 3 and 4).

What goes from block to block in EfficientNet-Lite has no activation, and after folding one range serves all channels of
it, though some are many times larger than others. As it is linear from one 1x1 convolution to the next, additions
included, each channel j may be made s_j times smaller where it is produced and larger where it is read:

    W_out[j] / s_j,  b[j] / s_j   ->   sum over the blocks   ->   s_j W_in[:, j]
    s_j = sqrt(max |X_j| / max |W_in[:, j]|)

The network computes the same. Activations and weights are then equally hard to round.
"""

import copy

import numpy as np

from lightnn import nn
from lightnn.compress.quantization.observing import BATCH_SIZE, Seeing, without
from lightnn.training import predict


def balanced(model: nn.Module, x: np.ndarray) -> nn.Module:
    """A new network: EfficientNet-Lite with its batch norms folded, balanced on the images x (N, 3, H, W)."""
    twin = copy.deepcopy(model)
    modules = dict(twin.named_modules())
    ranges = largest(model, [output_of(i, block) for i, block in enumerate(model.blocks)], x)
    for producers, readers, blocks in streams(twin):
        X = np.max([ranges[path] for path in blocks], axis=0)
        W = np.max([np.abs(modules[path].weight.data).max((0, 2, 3)) for path in readers], axis=0)
        s = np.where((X > 0) & (W > 0), np.sqrt(X / np.maximum(W, 1e-12)), 1).astype(np.float32)
        for path in producers:
            layer = modules[path]
            layer.weight.data, layer.bias.data = layer.weight.data / s[:, None, None, None], layer.bias.data / s
        for path in readers:
            modules[path].weight.data = modules[path].weight.data * s[:, None, None]
    return twin


def output_of(i: int, block: nn.Module) -> str:
    """The module that gives what the block gives; bn2 is an Identity after folding."""
    return f"blocks.{i}.{'joined' if block.residual else 'bn2'}"


def streams(model: nn.Module) -> list[tuple[list[str], list[str], list[str]]]:
    """[(the layers that add to a stream of channels, those that read it, the blocks whose outputs it is)]."""
    found = []
    for i, block in enumerate(model.blocks):
        if not block.residual:
            found.append(([], [], []))
        producers, _, blocks = found[-1]
        producers.append(f"blocks.{i}.project_conv")
        blocks.append(output_of(i, block))
        last = i + 1 == len(model.blocks)
        found[-1][1].append("conv_head" if last else f"blocks.{i + 1}.expand_conv")
    return found


def largest(model: nn.Module, paths: list[str], x: np.ndarray) -> dict[str, np.ndarray]:
    """{path: the largest |x| of each channel of what passes there}."""
    found = dict.fromkeys(paths, 0.0)

    def watch(path):
        def see(_, y):
            found[path] = np.maximum(found[path], np.abs(y).max((0, 2, 3)))

        return Seeing(see)

    predict(without(model, paths, watch), x, batch_size=BATCH_SIZE)
    return found
