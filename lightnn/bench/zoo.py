"""Parameters, MACs and published accuracies of ImageNet's classifiers: `python -m lightnn bench zoo`.

It counts the library's own networks (lightnn.models), which have torchvision's states and outputs. The accuracies are
those that torchvision states for its first weights, IMAGENET1K_V1. The committed result is
chapters/results/zoo_counts.json.
"""

from collections.abc import Callable

from lightnn import metrics, models
from lightnn.bench.suite import Suite
from lightnn.reporting.published import NETWORKS

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
