"""Networks, by torchvision's names where it has them; one file a family."""

from lightnn.models.architecture import ARCHITECTURES, LAYERS, build, describe
from lightnn.models.filternet import filternet_full, filternet_grouped, filternet_separable, filternet_shift
from lightnn.models.lenet import lenet5, lenet_300_100
from lightnn.models.mobilenet import mobilenet_v1, mobilenet_v1_full

__all__ = [
    "ARCHITECTURES",
    "LAYERS",
    "build",
    "describe",
    "filternet_full",
    "filternet_grouped",
    "filternet_separable",
    "filternet_shift",
    "lenet5",
    "lenet_300_100",
    "mobilenet_v1",
    "mobilenet_v1_full",
]
