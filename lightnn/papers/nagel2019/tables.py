"""What plain rounding loses, what each method gives back, and what the paper reports (Nagel et al. 2019, arXiv
1906.04721, table 1, as https://github.com/KwangHoonAn/Quantizations quotes it).

    recovered = (accuracy of the way - accuracy of plain rounding) / (float accuracy - accuracy of plain rounding)
"""

import statistics

from lightnn.papers.nagel2019.experiment import BOTH, NEAREST, PLAIN
from lightnn.tables import text_table

AIM = 0.8  # of the loss should be recovered by equalisation and bias correction
LEAST_LOSS = 0.5  # points: with less than that lost, there is nothing to recover


def lost(result: dict, bits: str) -> list[float]:
    """The points that plain rounding loses, one for each seed."""
    return [f - p for f, p in zip(result["float"], result["ways"][PLAIN][bits], strict=True)]


def recovered(result: dict, way: str, bits: str) -> float | None:
    """The fraction of the loss that the way recovers, means over the seeds; None if less than LEAST_LOSS is lost."""
    loss = statistics.mean(lost(result, bits))
    gains = zip(result["ways"][way][bits], result["ways"][PLAIN][bits], strict=True)
    return statistics.mean(a - p for a, p in gains) / loss if loss >= LEAST_LOSS else None


def format_tables(result: dict) -> str:
    """Accuracies, what is recovered, AdaRound against the nearest codes, and the paper's figures; 80 columns."""
    n, bits = len(result["seeds"]), list(result["ways"][PLAIN])
    caption = (
        f"depthwise-separable network, {result['parameters']:,} parameters, on Fashion-MNIST\n"
        f"({result['images']:,} images, {result['epochs']} epochs, {n} seed{'s' * (n != 1)}): test accuracy in %, "
        f"mean (spread)\nas floats: {_cell(result['float'])}"
    )
    rows = [[way, *(_cell(row[K]) for K in bits)] for way, row in result["ways"].items()]
    accuracy = text_table("", ["weights of", *(f"{K} bits" for K in bits)], rows)
    ways = [way for way in result["ways"] if way != PLAIN]
    rows = [[way, *(_percent(recovered(result, way, K)) for K in bits)] for way in ways]
    back = text_table("", ["recovered", *(f"{K} bits" for K in bits)], rows)
    return "\n\n".join([caption, accuracy, back, _aim(result, bits), _adaround(result, bits), NOTES])


def _cell(accuracies):
    return f"{statistics.mean(accuracies):.1f} ({max(accuracies) - min(accuracies):.1f})"


def _percent(fraction):
    return "-" if fraction is None else f"{100 * fraction:.0f} %"


def _aim(result, bits):
    """For each number of bits, whether equalisation and bias correction reach the aim."""
    lines = []
    for K in bits:
        fraction = recovered(result, BOTH, K)
        verdict = "nothing to recover" if fraction is None else f"both recover {100 * fraction:.1f} %"
        met = "" if fraction is None else "  yes" if fraction >= AIM else "  no"
        losses = lost(result, K)
        points = f"{statistics.mean(losses):.2f} points ({min(losses):.2f} to {max(losses):.2f})"
        lines.append(f"{K} bits: plain loses {points}; {verdict}{met}")
    return "\n".join([f"aim: both recover at least {100 * AIM:.0f} %", *lines])


def _adaround(result, bits):
    rows = []
    for way, nearest in NEAREST.items():
        gains = {K: _gains(result["ways"][way][K], result["ways"][nearest][K]) for K in bits}
        rows.append([way, *(_cell(gains[K]) for K in bits)])
    return text_table("", ["AdaRound gains", *(f"{K} bits" for K in bits)], rows)


def _gains(ours, nearest):
    return [a - b for a, b in zip(ours, nearest, strict=True)]


NOTES = """\
corrected: bias correction on 1,000 images; spread: the largest seed less the
smallest; AdaRound gains points over the nearest codes of the same scales.
Activations have 8 bits. Nothing was trained after rounding.
Paper (arXiv 1906.04721, table 1, as a public reimplementation quotes it):
MobileNetV2 on ImageNet, int8, one scale a tensor: 0.1 % with plain rounding,
69.91 % equalised, 70.92 % with high biases absorbed, which is not done here."""
