"""Parameters, MACs and published accuracies of torchvision's classifiers: `python -m lightnn bench zoo`.

It runs each network once on zeros, with hooks on convolutions and fully connected layers (1 MAC = one multiply-add, as
lightnn.metrics.trace counts). The accuracies are those that torchvision states for its first weights. It needs the
optional group `oracles`; the committed result is chapters/results/zoo_counts.json.
"""

import importlib.util
import sys
import types
from collections.abc import Callable

from lightnn.bench.suite import Suite

NAMES = {  # name: (year, what it is known for)
    "alexnet": (2012, "ReLU, dropout"),
    "vgg16": (2014, "3x3 only"),
    "googlenet": (2014, "inception"),
    "resnet18": (2015, "residual"),
    "resnet50": (2015, "residual, bottleneck"),
    "squeezenet1_0": (2016, "squeeze and expand"),
    "densenet121": (2016, "dense connections"),
    "mobilenet_v2": (2018, "inverted residual"),
    "shufflenet_v2_x1_0": (2018, "channel shuffle"),
    "mnasnet1_0": (2018, "search"),
    "efficientnet_b0": (2019, "compound scaling"),
    "efficientnet_b4": (2019, "compound scaling"),
}
SIZES = {"efficientnet_b4": 380}  # the paper's resolution; 224 otherwise


def zoo() -> types.ModuleType:
    """torchvision.models. Only its networks are used, so the registration of its operators is left out."""
    if importlib.util.find_spec("torchvision") is None:
        raise ValueError("want torchvision, which is not installed: pip install -e '.[oracles]'")
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
    from torchvision import models

    return models


def count(model: object, size: int) -> tuple[int, int]:
    """(parameters, MACs) for one image."""
    import torch

    macs = 0

    def hook(module, inputs, output):
        nonlocal macs
        macs += output.numel() * module.weight[0].numel()

    for module in model.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.Linear):
            module.register_forward_hook(hook)
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size))
    return sum(p.numel() for p in model.parameters()), macs


def run(say: Callable[[str], None] = print) -> dict:
    """Count every network: {"source", "networks"}. Prints as it counts."""
    models, rows = zoo(), {}
    for name, (year, known_for) in NAMES.items():
        extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
        size = SIZES.get(name, 224)
        parameters, macs = count(getattr(models, name)(**extra).eval(), size)
        weights = models.get_model_weights(name).IMAGENET1K_V1
        accuracy = weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]
        rows[name] = {
            "year": year, "known for": known_for, "size": size, "parameters": parameters, "macs": macs,
            "accuracy %": accuracy,
        }  # fmt: skip
        say(f"{name:<20} {parameters:>12,} parameters {macs / 1e6:>9,.1f} M MACs  {accuracy:.2f} %")
    source = "torchvision 0.28.0: counts of its networks, accuracies of its IMAGENET1K_V1 weights"
    return {"source": source, "networks": rows}


SUITE = Suite(("zoo",), "counts of torchvision's classifiers", lambda families: run())
