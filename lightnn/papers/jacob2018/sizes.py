"""What a network of integers needs: its file against the formula, and its classes in integers against the simulation.

bytes = K n / 8 + 4 for each scale + 1 for each zero point + 4 for each bias + 8 for each observed range + header
"""

import pathlib
import tempfile

import numpy as np

from lightnn import io, nn
from lightnn.bits import pack, width
from lightnn.compress import encode
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.io.cursor import PACKED, Writer
from lightnn.io.parts import SYMBOLS
from lightnn.papers.lab.stage import Images
from lightnn.runtime import lower_integers
from lightnn.training import predict


def sizes_and_classes(model: nn.Module, images: Images) -> dict:
    """{"formula bytes", "packed bytes", "other classes", "test accuracy % in integers"}.

    packed bytes: of the file, had its codes K bits each; the file itself is smaller where Huffman's codes are shorter.
    other classes: how many test images the integer network classifies otherwise than the simulated one.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.lnn"
        io.save(model, path)
        report = io.inspect(path)
    parts = report.bytes_by_part()
    packed = report.size_bytes - parts["codes"] - parts.get("Huffman table", 0) + packed_bytes(model)
    formula = code_bytes(model) + other_bytes(model) + parts["header"]
    return {"formula bytes": formula, "packed bytes": packed, **_classes(model, images)}


def code_bytes(model: nn.Module) -> int:
    """Sum of K n / 8, in whole bytes for each layer."""
    weights = [layer.weight for layer in layers_with_weights(model).values()]
    return sum(-(-p.values.bits * p.size // 8) for p in weights)


def packed_bytes(model: nn.Module) -> int:
    """Those of the codes as a file holds them if they are packed: with a few bytes that say how, for each layer."""
    out = Writer()
    for layer in layers_with_weights(model).values():
        codes = encode(layer.weight).parts["codes"].astype(np.int64)
        size = int(codes.max()) - int(codes.min()) + 1
        for number in (SYMBOLS, 2 * abs(int(codes.min())), PACKED, size):
            out.number(number)
        out.sized(pack(codes.ravel() - codes.min(), width(size)))
    return len(out.data)


def other_bytes(model: nn.Module) -> int:
    """Scales, zero points, biases, and the ranges from which training would go on."""
    layers = list(layers_with_weights(model).values())
    rounding = [m for m in model.modules() if isinstance(m, nn.FakeQuantize)]
    of_weights = sum(4 * len(layer.weight.values.scale) + 4 * layer.bias.size for layer in layers)
    return of_weights + (4 + 1 + 8) * len(rounding)  # zero points of weights are all 0


def _classes(model, images):
    x, y = images.test
    simulated, integer = (predict(m, x).argmax(1) for m in (model, lower_integers(model, (1, *x.shape[1:]))))
    accuracy = round(100 * float((integer == y).mean()), 2)
    return {"other classes": int(np.sum(simulated != integer)), "test accuracy % in integers": accuracy}
