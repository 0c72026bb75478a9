"""The paper's tables 1 to 3, its way of counting, and ours beside them (Han et al. 2015, arXiv 1506.02626).

The counting rules were worked out from the paper's rows: a layer's weights exclude its biases, 1 MAC is 2 FLOP, the
activations of a layer are its non-zero outputs, and an operation is left where both weight and input are non-zero.
"""

from collections.abc import Iterable

import numpy as np

from lightnn import nn
from lightnn.compress import activation_density, density
from lightnn.exercise import exercise
from lightnn.metrics import trace
from lightnn.papers.lab.stage import TITLES

TABLE_1 = {  # reference error %, pruned error %, parameters before and after, rate
    "lenet_300_100": {"reference error %": 1.64, "pruned error %": 1.59, "before": "267K", "after": "22K", "rate": 12},
    "lenet5": {"reference error %": 0.80, "pruned error %": 0.77, "before": "431K", "after": "36K", "rate": 12},
}
LAYERS = {  # tables 2 and 3: weights, FLOP, Act%, Weights%, FLOP%
    "lenet_300_100": {
        "fc1": ("235K", "470K", 38, 8, 8),
        "fc2": ("30K", "60K", 65, 9, 4),
        "fc3": ("1K", "2K", 100, 26, 17),
        "total": ("266K", "532K", 46, 8, 8),
    },
    "lenet5": {
        "conv1": ("0.5K", "576K", 82, 66, 66),
        "conv2": ("25K", "3200K", 72, 12, 10),
        "fc1": ("400K", "800K", 55, 8, 6),
        "fc2": ("5K", "10K", 100, 19, 10),
        "total": ("431K", "4586K", 77, 8, 16),
    },
}


@exercise("02.6")
def flop_fractions(flops, kept, active):
    """The paper's column FLOP%: which fraction of the operations is left, from 0 to 1.

    Arrays with one number for each layer, in order: flops F_l, the operations of the dense layer; kept w_l, the
    fraction of its weights that are not 0; active a_l, the fraction of its outputs that are not 0. An operation is left
    where both its weight and its input are not 0. The inputs of a layer are the outputs of the layer before it; the
    image counts as full:

        f_l = w_l a_(l-1),   a_0 = 1,   f = sum_l F_l f_l / sum_l F_l

    Returns the tuple (fractions, fraction): the f_l as an array (L,) and f, a float, both in float64 whatever the
    dtype of the arrays, which stay as they are.
    """
    flops, kept, active = (np.asarray(a, np.float64) for a in (flops, kept, active))
    inputs = np.concatenate([[1.0], active[:-1]])
    fractions = kept * inputs
    return fractions, float(fractions @ flops / flops.sum())


def count_layers(model: nn.Module, layers: Iterable[str], x: np.ndarray) -> dict[str, dict]:
    """The paper's table 2 or 3 for a pruned network on images x: {layer or "total": {column: number}}.

    The total of Act% weights each layer by how many numbers the next layer reads; this reproduces the paper's totals.
    """
    rows = [row for row in trace(model, (1, *x.shape[1:])) if row.macs]
    weights = [getattr(model, name).weight for name in layers]
    active = activation_density(model, x)
    active, kept = np.array([active[name] for name in layers]), np.array([density(p) for p in weights])
    flops, sizes = np.array([2 * row.macs for row in rows]), np.array([p.size for p in weights])
    read = np.array([*(np.prod(row.in_shape) for row in rows[1:]), np.prod(rows[-1].out_shape)])
    fractions, total = flop_fractions(flops, kept, active)
    columns = {
        "weights": [*sizes, sizes.sum()],
        "flop": [*flops, flops.sum()],
        "active %": 100 * np.array([*active, active @ read / read.sum()]),
        "kept %": 100 * np.array([*kept, kept @ sizes / sizes.sum()]),
        "flop %": 100 * np.array([*fractions, total]),
    }
    return {name: {c: v[i].item() for c, v in columns.items()} for i, name in enumerate([*layers, "total"])}


def count_network(model: nn.Module, layers: Iterable[str]) -> dict[str, float]:
    """Table 1's count: parameters, biases included, before and after pruning, and the rate between them."""
    before = sum(p.size for p in model.parameters())
    weights = [getattr(model, name).weight for name in layers]
    after = before - sum(round(p.size * (1 - density(p))) for p in weights)
    return {"parameters": before, "parameters left": after, "rate": before / after}


def format_tables(result: dict) -> str:
    """The paper's tables 1, 2 and 3 beside ours, and our figure 5 in numbers, as text of at most 80 columns."""
    lines = [f"{'Table 1: MNIST':<28} reference     pruned   parameters      left    rate"]
    for name, found in result["networks"].items():
        paper, counts = TABLE_1[name], (f"{found['parameters']:,}", f"{found['parameters left']:,}")
        lines.append(_row_1(f"{TITLES[name]:<14} lightnn", found, *counts, f"{found['rate']:.1f}"))
        lines.append(_row_1(f"{'':<14} paper", paper, paper["before"], paper["after"], f"{paper['rate']}"))
    for number, (name, found) in enumerate(result["networks"].items(), 2):
        lines += ["", *_layers(number, name, found["layers"])]
    lines += ["", *NOTES]
    for name, found in result["networks"].items():
        if "figure 5" in found:
            lines += ["", *_figure_5(name, found["figure 5"])]
    return "\n".join(line.rstrip() for line in lines)


NOTES = (
    "Act%: outputs that are not zero, after the ReLU, on our validation images.",
    "Caffe's LeNet-5 has no ReLU after its convolutions, so there nearly all outputs",
    "are not zero; the paper does not say which outputs it counted.",
    "FLOP%: weight and input not zero. 1 MAC = 2 FLOP. Rows are without biases,",
    "table 1 with them. Paper: arXiv 1506.02626.",
)


def _row_1(who, row, before, after, rate):
    errors = f"{row['reference error %']:8.2f} % {row['pruned error %']:8.2f} %"
    return f"{who:<27} {errors} {before:>12} {after:>9} {rate:>5} x"


def _layers(number, name, layers):
    yield f"Table {number}: {TITLES[name]}"
    yield f"{'':<8}{'weights':>12}{'FLOP':>12}  {'Act %':^14}  {'Weights %':^14}  {'FLOP %':^14}"
    yield f"{'':<32}" + "      ours paper" * 3
    for layer, row in layers.items():
        _, _, *paper = LAYERS[name][layer]
        pairs = zip((row["active %"], row["kept %"], row["flop %"]), paper)
        yield f"{layer:<8}{row['weights']:>12,}{row['flop']:>12,}" + "".join(f"{a:10.1f}{b:6.0f}" for a, b in pairs)


def _figure_5(name, figure):
    yield f"Figure 5, {TITLES[name]}: validation accuracy (%) at this fraction of the weights"
    yield f"{'':<23}" + "".join(f"{fraction:7.0%}" for fraction in figure["fractions"])
    for curve, accuracies in figure["curves"].items():
        yield f"{curve:<23}" + "".join(f"{a:7.2f}" for a in accuracies)
