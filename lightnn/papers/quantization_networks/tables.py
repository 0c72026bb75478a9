"""Our accuracies beside the paper's (Yang et al. 2019, arXiv 1911.09464, tables 1 and 2 and its ablations).

loss = accuracy of the control - accuracy of the way, in points, both of one seed
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from lightnn.papers.lab.spread import cell
from lightnn.papers.quantization_networks.ways import CONTROL, NEW_FLOATS, SHORT_CONTROL, TAUGHT_FLOATS
from lightnn.tables import text_table

FLOATS, NONE = (61.8, 70.3), (None, None)  # %, top 1 on ImageNet: AlexNet and ResNet-18
PAPER = {  # way: top-1 accuracy in % of AlexNet and ResNet-18, tables 1 and 2
    "1 bit": (58.8, 66.5),
    "2 bits": (60.9, 69.1),
    "3 bits, +-2": (61.5, 69.9),
    "3 bits, +-4": (61.9, 70.4),
    "activations of 2 bits": (None, 65.7),
    "1 bit, activations of 2": (55.4, 63.4),
    "1 bit, activations of 1": (47.9, 53.6),
}
AIMS = {"1 bit": 0.8, "2 bits": 0.3}  # points that may be lost, on the mean of the seeds


@dataclass(frozen=True)
class Ablation:
    """`better` should be more accurate than `worse`. paper: both in %, and the network they are of; None: not there."""

    question: str
    better: str
    worse: str
    paper: tuple[float, float, str] | None = None


ABLATIONS = (
    Ablation("k-means biases or linear ones", "2 bits, short", "2 bits, linear", (60.9, 60.6, "AN")),
    Ablation("k-means biases or linear ones", "3 bits, +-4, short", "3 bits, +-4, linear", (61.9, 60.7, "AN")),
    Ablation("a quantizer a layer, or one for all", "2 bits, short", "2 bits, one quantizer", (60.9, 59.9, "AN")),
    Ablation("pretrained or from scratch", "3 bits, +-4, short", "3 bits, +-4, from scratch", (70.4, 55.3, "R-18")),
    Ablation("the same, in floats (control)", SHORT_CONTROL, NEW_FLOATS),
    Ablation("T = 20 epoch or 5 epoch", "2 bits, short", "2 bits, T = 5 epoch"),
    Ablation("T = 20 epoch or 10 epoch", "2 bits, short", "2 bits, T = 10 epoch"),
    Ablation("T = 20 epoch or 40 epoch", "2 bits, short", "2 bits, T = 40 epoch"),
    Ablation("with or without a teacher", "1 bit, taught", "1 bit, short"),
    Ablation("the same, in floats (control)", TAUGHT_FLOATS, SHORT_CONTROL),
)


def losses(result: dict, way: str) -> list[float]:
    """The points that a way loses against the float control, one for each seed."""
    return _differences(result, CONTROL, way)


def gains(result: dict, ablation: Ablation) -> list[float]:
    """The points by which `better` is better, one for each seed."""
    return _differences(result, ablation.better, ablation.worse)


def _differences(result, a, b):
    pairs = zip(result["ways"][a]["accuracy"], result["ways"][b]["accuracy"])  # a way of one seed: the first
    return [round(x - y, 2) for x, y in pairs]


def order(differences: Sequence[float]) -> str:
    """Whether all seeds agree that `better` is better: "yes", "no" if all agree that it is not, else "open"."""
    if len(differences) < 2:
        return "open"
    return "yes" if min(differences) > 0 else "no" if max(differences) < 0 else "open"


def format_tables(result: dict) -> str:
    """Accuracies and losses, then the ablations, then notes; at most 80 columns."""
    n = len(result["seeds"])
    caption = (
        f"resnet-8, {result['parameters']:,} parameters, Fashion-MNIST at 14 x 14, {n} seed{'s' * (n != 1)}:\n"
        f"{result['reference epochs']} epochs of {result['reference images']:,} images in floats "
        f"({cell(result['reference'])} %), then {result['epochs']} of {result['images']:,} a phase;\n"
        f"in the ablations, {result['epochs']} of {result['short images']:,}"
    )
    shown = [way for way in result["ways"] if way in PAPER or way == CONTROL]
    head = ["", "test %", "loss", "aim", "met", "KB", "AN", "R-18"]
    parts = [caption, text_table("", head, [_row(result, way) for way in shown]), MAIN]
    found = [a for a in ABLATIONS if a.better in result["ways"] and a.worse in result["ways"]]
    if found:
        head = ["better", "worse", "gain", "sure", "paper"]
        parts += [text_table("", head, [_ablation(result, a) for a in found]), BELOW]
    return "\n\n".join(parts)


def _row(result, way):
    row, lost, aim = result["ways"][way], losses(result, way), AIMS.get(way)
    met = "" if aim is None else "yes" if statistics.mean(lost) <= aim else "no"
    papers = (
        "" if top1 is None else f"{floats - top1:.1f}"
        for floats, top1 in zip(FLOATS, PAPER.get(way, NONE), strict=True)
    )
    shown = ["" if aim is None else f"{aim:g}", met, f"{row['bytes'] / 1000:.1f}"]
    return [way, cell(row["accuracy"]), cell(lost), *shown, *papers]


def _ablation(result, ablation):
    more = gains(result, ablation)
    paper = "" if ablation.paper is None else f"{ablation.paper[0] - ablation.paper[1]:+.1f} {ablation.paper[2]}"
    return [ablation.better, ablation.worse, cell(more, "+"), order(more), paper]


MAIN = """\
In brackets, half the range of the seeds. loss: points against the control,
which trains as long in floats (one phase). KB: of the file, in 1,000 bytes. AN,
R-18: what AlexNet and ResNet-18 lose on ImageNet (the paper's tables 1 and 2)."""
BELOW = """\
gain: points, of the same seeds; sure: whether all seeds agree on the sign. 0.1
point is 10 images. The paper names the temperature steps 5, 10, 20 and 40, but
not what each gives. taught: half of the loss is T^2 KL to the outputs of the
reference at T = 4."""
