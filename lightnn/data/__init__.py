"""Data: three image data sets, minibatches, augmentation, scenes to segment, and checks of images and labels."""

from lightnn.data.augment import normalize, random_crop, random_flip, random_shift
from lightnn.data.checks import check_images_labels
from lightnn.data.datasets import Dataset, load_cifar10, load_fashion_mnist, load_mnist
from lightnn.data.fetch import DataNotFoundError
from lightnn.data.loader import batches, split_validation
from lightnn.data.scenes import Scenes, make_scenes

__all__ = [
    "DataNotFoundError",
    "Dataset",
    "Scenes",
    "batches",
    "check_images_labels",
    "load_cifar10",
    "load_fashion_mnist",
    "load_mnist",
    "make_scenes",
    "normalize",
    "random_crop",
    "random_flip",
    "random_shift",
    "split_validation",
]
