"""The paper's table 1, the cuts behind it, and ours beside them (Li et al. 2017, arXiv 1608.08710).

FLOP are counted as multiply-accumulates of convolutions and fully connected layers; parameters are their weights and
biases, without batch norm's. Layers are numbered from 1, the stem included, so that the first layer of a residual block
has an even number. This is inferred: with it, and with the filters that stay rounded down, the counts of ResNet-56 A
match to the digit.
"""

from lightnn import models
from lightnn.compress import Channels, channels, prune_filters
from lightnn.metrics import trace

CIFAR, IMAGENET = (1, 3, 32, 32), (1, 3, 224, 224)
SKIP_34 = (2, 8, 14, 16, 26, 28, 30, 32)
TABLE_1 = {  # network and cut: error %, FLOP, cut %, parameters, cut %
    "VGG-16": (6.75, 3.13e8, None, 1.5e7, None),
    "VGG-16 A": (6.60, 2.06e8, 34.2, 5.4e6, 64.0),
    "ResNet-56": (6.96, 1.25e8, None, 8.5e5, None),
    "ResNet-56 A": (6.90, 1.12e8, 10.4, 7.7e5, 9.4),
    "ResNet-56 B": (6.94, 9.09e7, 27.6, 7.3e5, 13.7),
    "ResNet-110": (6.47, 2.53e8, None, 1.72e6, None),
    "ResNet-110 A": (6.45, 2.13e8, 15.9, 1.68e6, 2.3),
    "ResNet-110 B": (6.70, 1.55e8, 38.6, 1.16e6, 32.4),
    "ResNet-34": (26.77, 3.64e9, None, 2.16e7, None),
    "ResNet-34 A": (27.44, 3.08e9, 15.5, 1.99e7, 7.6),
    "ResNet-34 B": (27.83, 2.76e9, 24.2, 1.93e7, 10.8),
    "ResNet-34 C": (27.52, 3.37e9, 7.5, 2.01e7, 7.2),
}
NETWORKS = {  # how it is made, its input shape, and {cut: layers}
    "VGG-16": (models.vgg16_cifar, CIFAR, {"A": lambda found: halves(found, (1, *range(8, 14)))}),
    "ResNet-56": (
        models.resnet56,
        CIFAR,
        {
            "A": lambda found: firsts(found, (0.1, 0.1, 0.1), (16, 20, 38, 54)),
            "B": lambda found: firsts(found, (0.6, 0.3, 0.1), (16, 18, 20, 34, 38, 54)),
        },
    ),
    "ResNet-110": (
        models.resnet110,
        CIFAR,
        {
            "A": lambda found: firsts(found, (0.5, 0, 0), (36,)),
            "B": lambda found: firsts(found, (0.5, 0.4, 0.3), (36, 38, 74)),
        },
    ),
    "ResNet-34": (
        models.resnet34,
        IMAGENET,
        {
            "A": lambda found: firsts(found, (0.3, 0.3, 0.3, 0), SKIP_34),
            "B": lambda found: firsts(found, (0.5, 0.6, 0.4, 0), SKIP_34),
            "C": lambda found: {"layer3.0.downsample.0": 0.2},
        },
    ),
}


def halves(found: Channels, numbers: tuple[int, ...]) -> dict[str, float]:
    """{layer: 0.5} for the convolutions with these numbers."""
    convolutions = [layer for layer in found.layers if layer.startswith("features")]
    return {convolutions[number - 1]: 0.5 for number in numbers}


def firsts(found: Channels, fractions: tuple[float, ...], skip: tuple[int, ...]) -> dict[str, float]:
    """{layer: fractions[stage - 1]} for the first convolution of each block, without the layers numbered in `skip`."""
    layers = [layer for layer in found.layers if layer.startswith("layer") and layer.endswith("conv1")]
    stages = {layer: int(layer[len("layer")]) for i, layer in enumerate(layers, 1) if 2 * i not in skip}
    return {layer: fractions[stage - 1] for layer, stage in stages.items() if fractions[stage - 1]}


def count_table() -> dict[str, list[int]]:
    """{network and cut: [MACs, parameters]}, each network cut by surgery and counted."""
    counts = {}
    for name, (make, shape, cuts) in NETWORKS.items():
        model = make(rng=0)
        counts[name] = _count(model, shape)
        for cut, fractions in cuts.items():
            counts[f"{name} {cut}"] = _count(prune_filters(model, shape, fractions(channels(model, shape))), shape)
    return counts


def _count(model, shape):
    rows = [row for row in trace(model, shape) if row.macs]
    return [sum(row.macs for row in rows), sum(row.parameters for row in rows)]


def format_counts(counts: dict[str, list[int]]) -> str:
    """Table 1's MACs (the paper's FLOP) and parameters, ours beside the paper's, as text of at most 80 columns."""
    lines = [f"{'':<14}{'MACs':>10} {'cut':>7}{'paper':>11} {'cut':>7}{'parameters':>12} {'cut':>6}{'paper':>7}"]
    for name, (flops, parameters) in counts.items():
        whole = counts[name.rpartition(" ")[0] or name] if name not in NETWORKS else None
        cut = [f"{100 * (1 - a / b):.1f} %" if whole else "" for a, b in zip((flops, parameters), whole or (1, 1))]
        _, paper, paper_cut, _, paper_less = TABLE_1[name]
        then = [f"{c:.1f} %" if c else "" for c in (paper_cut, paper_less)]
        ours = f"{flops:>10.2e} {cut[0]:>7}{paper:>11.2e} {then[0]:>7}{parameters:>12,} {cut[1]:>6}{then[1]:>7}"
        lines.append(f"{name:<14}{ours}".rstrip())
    return "\n".join(lines)


def format_tables(result: dict) -> str:
    """Table 1's counts, and what was measured, as text of at most 80 columns."""
    lines = ["Table 1: MACs (the paper's FLOP) and parameters, ours beside the paper's", ""]
    lines += [format_counts(result["table 1"])]
    for name, network in result["networks"].items():
        lines += [
            "",
            f"{name} on MNIST, the filters with the smallest l1 norms removed",
            *format_rows(network["table"]),
        ]
        if "filters or weights" in network:
            for budget, rows in network["filters or weights"].items():
                lines += ["", f"{name}, {budget} of the parameters left: filters or weights", *format_rows(rows)]
    lines += _format_controls(result["controls"]["test error %"])
    lines += ["", f"{'Time over time before':<24}{'MACs':>8}{'batch 1':>10}{'batch 8':>10}   off by"]
    for name, row in result["wall-clock"].items():
        off = ", ".join(f"{100 * (row[b] / row['MACs'] - 1):+.0f} %" for b in ("batch 1", "batch 8"))
        lines.append(f"{name:<24}{row['MACs']:>8.3f}{row['batch 1']:>10.3f}{row['batch 8']:>10.3f}   {off}")
    lines.append("\nPaper: arXiv 1608.08710, table 1. It reports the best test error of retraining;")
    lines.append("ours is the test error of the epoch that was best on the validation images.")
    return "\n".join(lines)


def _format_controls(errors):
    """Lines of at most 80 columns: the test errors' mean over the seeds, the lowest and the highest."""
    lines = ["", f"{'lenet5, 20,000 images: test error in %':<40}{'mean':>8}{'lowest':>9}{'highest':>9}"]
    return lines + [f"{what:<40}{sum(e) / len(e):>8.2f}{min(e):>9.2f}{max(e):>9.2f}" for what, e in errors.items()]


def format_rows(rows: dict[str, dict]) -> list[str]:
    """Lines of at most 80 columns: parameters, MACs, bytes, test error and milliseconds of each network."""
    lines = [f"{'':<20}{'parameters':>11}{'MACs':>11}{'bytes':>11}{'test error':>11}{'ms b1':>8}{'ms b64':>8}"]
    for name, row in rows.items():
        counts = f"{row['parameters']:>11,}{row['macs']:>11,}{row['size_bytes']:>11,}{row['test error %']:>9.2f} %"
        lines.append(f"{name:<20}{counts}{row['ms, batch 1']:>8.2f}{row['ms, batch 64']:>8.2f}")
    return lines
