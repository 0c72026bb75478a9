"""The library's networks by name, the images that they are made for, and the accuracies that torchvision states."""

import inspect
from typing import NamedTuple

from lightnn import models, nn
from lightnn.models.efficient import EFFICIENTNET_SCALES


class Published(NamedTuple):
    """accuracy: top-1 on ImageNet in %, torchvision's for its first weights. size: of the images, the paper's."""

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
SIZES = dict.fromkeys(["cifar_resnet", "resnet20", "resnet56", "resnet110", "shift_resnet", "vgg16_cifar"], 32)
SIZES |= {"inception_v3": 299}
SIZES |= {f"efficientnet_{name}": size for name, (_, _, size, _) in EFFICIENTNET_SCALES.items()}
BY_CHANNELS = {1: 28, 3: 224}


def zoo() -> list[str]:
    """The functions of lightnn.models that make a network without being told more."""
    made = {name: getattr(models, name) for name in models.__all__ if name in vars(models)}
    return sorted(name for name, make in made.items() if not inspect.isclass(make) and _needs_nothing(make))


def _needs_nothing(make):
    parameters = inspect.signature(make).parameters if callable(make) else {}
    return "rng" in parameters and all(p.default is not p.empty for p in parameters.values())


def build(name: str) -> nn.Module:
    """A network of the zoo with its first weights, of seed 0; without auxiliary classifiers."""
    make = getattr(models, name)
    extra = {"aux_logits": False} if "aux_logits" in inspect.signature(make).parameters else {}
    return make(rng=0, **extra).eval()


def image_shape(model: nn.Module, name: str = "") -> tuple[int, ...]:
    """(1, C, H, W), the images that a network of this name takes; by its first layer if the name says nothing.

    ValueError if the first layer does not say it either."""
    first = next((m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)), None)
    if isinstance(first, nn.Conv2d):
        channels = first.weight.shape[1]
        if (size := SIZES.get(name, BY_CHANNELS.get(channels))) is not None:
            return (1, channels, size, size)
    elif first is not None:
        pixels = first.weight.shape[1]
        side = round((pixels / (3 if pixels % 3 == 0 else 1)) ** 0.5)
        if pixels in (side * side, 3 * side * side):
            return (1, pixels // side**2, side, side)
    raise ValueError("report: it is not known which images this network takes: want --input CxHxW, such as 1x28x28")
