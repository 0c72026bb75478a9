"""Parameters, MACs and published accuracies of ImageNet's classifiers: `python -m lightnn bench zoo`.

It counts the library's own networks (lightnn.models), which have torchvision's states and outputs. The accuracies are
those that torchvision states for its first weights, IMAGENET1K_V1. The committed result is
chapters/results/zoo_counts.json.
"""

from collections.abc import Callable
from typing import NamedTuple

from lightnn import metrics, models
from lightnn.bench.suite import Suite


class Published(NamedTuple):
    """accuracy: top-1 in %. size: of the images, the paper's."""

    year: int
    known_for: str
    accuracy: float
    size: int = 224


NETWORKS = {
    "alexnet": Published(2012, "ReLU, dropout", 56.522),
    "vgg16": Published(2014, "3x3 only", 71.592),
    "googlenet": Published(2014, "inception", 69.778),
    "resnet18": Published(2015, "residual", 69.758),
    "resnet50": Published(2015, "residual, bottleneck", 76.13),
    "squeezenet1_0": Published(2016, "squeeze and expand", 58.092),
    "densenet121": Published(2016, "dense connections", 74.434),
    "mobilenet_v2": Published(2018, "inverted residual", 71.878),
    "shufflenet_v2_x1_0": Published(2018, "channel shuffle", 69.362),
    "mnasnet1_0": Published(2018, "search", 73.456),
    "efficientnet_b0": Published(2019, "compound scaling", 77.692),
    "efficientnet_b4": Published(2019, "compound scaling", 83.384, 380),
}
SOURCE = "counts of lightnn.models; accuracies of torchvision 0.28.0, IMAGENET1K_V1"


def count(name: str, size: int) -> tuple[int, int]:
    """(parameters, MACs) of a network for one image, without auxiliary classifiers."""
    model = getattr(models, name)(**({"aux_logits": False} if name == "googlenet" else {}))
    return metrics.count_parameters(model), metrics.count_macs(model, (1, 3, size, size))


def run(say: Callable[[str], None] = print) -> dict:
    """Count every network: {"source", "networks"}. Prints as it counts."""
    rows = {}
    for name, known in NETWORKS.items():
        parameters, macs = count(name, known.size)
        rows[name] = {
            "year": known.year, "known for": known.known_for, "size": known.size, "parameters": parameters,
            "macs": macs, "accuracy %": known.accuracy,
        }  # fmt: skip
        say(f"{name:<20} {parameters:>12,} parameters {macs / 1e6:>9,.1f} M MACs  {known.accuracy:.2f} %")
    return {"source": SOURCE, "networks": rows}


SUITE = Suite(("zoo",), "counts of ImageNet's classifiers", lambda families: run())
