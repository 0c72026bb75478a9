"""Networks, by torchvision's names where it has them; one file a family."""

from lightnn.models.architecture import ARCHITECTURES, LAYERS, build, describe
from lightnn.models.lenet import lenet5, lenet_300_100

__all__ = ["ARCHITECTURES", "LAYERS", "build", "describe", "lenet5", "lenet_300_100"]
