"""Networks, by torchvision's names where it has them; one file a family."""

from lightnn.models.architecture import ARCHITECTURES, LAYERS, build, describe
from lightnn.models.filternet import filternet_full, filternet_grouped, filternet_separable, filternet_shift
from lightnn.models.lenet import lenet5, lenet_300_100
from lightnn.models.mobilenet import mobilenet_v1, mobilenet_v1_full
from lightnn.models.resnet import cifar_resnet, resnet18, resnet20, resnet34, resnet56, resnet110
from lightnn.models.vgg import vgg16_cifar

__all__ = [
    "ARCHITECTURES",
    "LAYERS",
    "build",
    "cifar_resnet",
    "describe",
    "filternet_full",
    "filternet_grouped",
    "filternet_separable",
    "filternet_shift",
    "lenet5",
    "lenet_300_100",
    "mobilenet_v1",
    "mobilenet_v1_full",
    "resnet18",
    "resnet20",
    "resnet34",
    "resnet56",
    "resnet110",
    "vgg16_cifar",
]
