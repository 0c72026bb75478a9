"""The paper's sizes to the digit, its accuracies, and ours beside them (Stock et al. 2020, arXiv 1907.05686, table 1 as
the authors' repository has it)."""

import numpy as np

from lightnn import models
from lightnn.compress import product_bytes
from lightnn.compress.quantization.post_training import layers_with_weights
from lightnn.nn import Conv2d
from lightnn.papers.kill_the_bits.experiment import CONTROL
from lightnn.tables import text_table

MEGABYTE = 2**20
AIM_RATIO, AIM_LOSS = 15, 1.5  # times smaller than the floats' file, points
PAPER = (  # network, blocks of 3x3 and of 1x1 kernels, centroids of fc, MB, top-1 % quantized and in floats
    ("resnet18", 9, 4, 2048, 1.54, 65.81, 69.76),
    ("resnet18", 18, 4, 2048, 1.03, 61.18, 69.76),
    ("resnet50", 9, 4, 1024, 5.09, 73.79, 76.15),
    ("resnet50", 18, 8, 1024, 3.19, 68.21, 76.15),
)


def size_bytes(name: str, kernels: int, pointwise: int, fc: int, k: int = 256) -> float:
    """The bytes of the network by the paper's count: codes and float16 centroids of all layers but the first, float32
    for the rest. k centroids, fc of them in the last layer, however small a layer is: so the paper's sizes come out."""
    model = getattr(models, name)(rng=0)
    layers = list(layers_with_weights(model).values())
    total = 4 * sum(p.size for p in model.parameters())
    for layer in layers[1:]:
        n = layer.weight.size
        if isinstance(layer, Conv2d):
            coded = product_bytes(n, pointwise if layer.kernel_size == (1, 1) else kernels, k)
        else:
            coded = product_bytes(n, 4, fc)
        total += coded - 4 * n
    return total


def compare(result: dict) -> dict[str, dict]:
    """{way: its numbers, "ratio" to the teacher's bytes, "loss": points against the control}."""
    floats, control = result["teacher"], result["ways"][CONTROL]
    return {
        name: {
            **way,
            "ratio": floats["bytes"] / way["bytes"],
            "loss": round(control["test accuracy %"] - way["test accuracy %"], 2),
        }
        for name, way in result["ways"].items()
    }


def gain(untuned: dict) -> list[float]:
    """Points that weighted is ahead of plain, from each start, at the same bits a weight."""
    ahead, behind = (untuned[what]["test accuracy %"] for what in ("weighted", "plain"))
    return [round(a - b, 2) for a, b in zip(ahead, behind, strict=True)]


def format_tables(result: dict) -> str:
    """Ours, tuned and untuned, then the paper's; at most 80 columns."""
    teacher, rows = result["teacher"], []
    for name, way in compare(result).items():
        met = "yes" if way["ratio"] >= AIM_RATIO and way["loss"] <= AIM_LOSS else "no"
        bits, ratio = f"{way.get('bits a weight', 32):.2f}", f"{way['ratio']:.1f}x"
        numbers = [f"{way['bytes']:,}", ratio, f"{way['test accuracy %']:.2f}", f"{way['loss']:.2f}"]
        rows.append([name, bits, *numbers, "" if name == CONTROL else met])
    caption = (
        f"resnet-8 of {result['parameters']:,} parameters on Fashion-MNIST: {teacher['test accuracy %']:.2f} % in\n"
        f"{teacher['bytes']:,} bytes in floats; seed {result['seed']}"
    )
    ours = text_table("", ["", "bits", "bytes", "ratio", "test %", "loss", f">= {AIM_RATIO}x, <= {AIM_LOSS}"], rows)
    paper = []
    for name, kernels, pointwise, fc, size, top1, floats in PAPER:
        ours_mb = size_bytes(name, kernels, pointwise, fc) / MEGABYTE
        paper.append([name, kernels, pointwise, f"{size:.2f}", f"{ours_mb:.2f}", f"{top1:.2f}", f"{floats:.2f}"])
    head = ["the paper, ImageNet", "3x3", "1x1", "MB", "counted here", "top-1 %", "floats %"]
    return "\n".join([caption, ours, NOTES, "", without_training(result["untuned"]), "", text_table("", head, paper)])


def without_training(untuned: dict) -> str:
    """Weighted and plain blocks that nothing was trained with, over all starts."""
    rows = []
    for name, way in untuned.items():
        means = [np.mean(way[what]["test accuracy %"]) for what in ("weighted", "plain")]
        sizes = [f"{np.mean(way[what]['bytes']):,.0f}" for what in ("weighted", "plain")]
        ahead = gain(way)
        rows.append([name, f"{way['bits a weight']:.2f}", *sizes, *(f"{m:.2f}" for m in means),
                     f"{min(ahead):+.2f} .. {max(ahead):+.2f}"])  # fmt: skip
    head = ["not tuned", "bits", "bytes", "plain's", "test %", "plain's", "ahead by"]
    return text_table("", head, rows)


NOTES = """\
bits: of a weight of the quantized layers, codes and centroids. loss: points
against the control, the teacher trained on against itself for as long. plain:
the blocks' own distances, not those of the outputs. Tuned ways: one seed, and
0.1 point is 10 images, no more than chance gives. Not tuned: the means over the
draws of the first centroids, and the least and the largest lead of weighted."""
