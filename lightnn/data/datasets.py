"""MNIST (in the package), Fashion-MNIST and CIFAR-10 (found here or downloaded) as float images and labels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .fetch import Source, obtain
from .formats import check_sha256, read_cifar10, read_idx

# The four files of MNIST and of Fashion-MNIST, in the order x_train, y_train, x_test, y_test: sizes in the IDX header.
IDX_SHAPES = {
    "train-images-idx3-ubyte.gz": (60_000, 28, 28),
    "train-labels-idx1-ubyte.gz": (60_000,),
    "t10k-images-idx3-ubyte.gz": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte.gz": (10_000,),
}

# SHA-256 of the unpacked files. The .gz around them differs from copy to copy (Fashion-MNIST's own has the file's name
# in its gzip header, other copies do not), so a checksum of the .gz would reject good data.
MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte.gz": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte.gz": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte.gz": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FASHION_MNIST_SHA256 = {
    "train-images-idx3-ubyte.gz": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte.gz": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte.gz": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte.gz": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
# Of the archive itself, 170,052,171 bytes. Its home page gives the MD5 c32a1d4ab5d03f1284b67883e8d87530; projects that
# checked that MD5 publish this SHA-256 for it.
CIFAR10_SHA256 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"
CIFAR10_RECORDS = 10_000  # in each of the archive's six files

DELETE_IT = "delete it to download it again"
MNIST_FOLDER = Path(__file__).parent / "mnist"
FASHION_MNIST = Source(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    page="https://github.com/zalandoresearch/fashion-mnist",
    prefixes=(
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    files=tuple(IDX_SHAPES),
)
CIFAR10 = Source(
    title="CIFAR-10 (binary version)",
    folder="cifar-10",
    page="https://www.cs.toronto.edu/~kriz/cifar.html",
    prefixes=("https://www.cs.toronto.edu/~kriz/",),
    files=("cifar-10-binary.tar.gz",),
)


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images and labels, split into training and test: x float32 (N, C, H, W) in [0, 1], y int64 (N,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def num_classes(self) -> int:
        """How many classes there are: the labels are 0 to num_classes - 1."""
        return 1 + int(max((y.max() for y in (self.y_train, self.y_test) if y.size), default=-1))

    def __repr__(self) -> str:
        parts = (f"{name} {value.dtype} {value.shape}" for name, value in vars(self).items())
        return f"Dataset({', '.join(parts)}, {self.num_classes} classes)"


def load_mnist() -> Dataset:
    """MNIST, handwritten digits: x (60000, 1, 28, 28) and (10000, 1, 28, 28), 10 classes. Needs no network.

    LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist/; origin and terms are in the README.md beside the files.
    Raises ValueError when a file of the package is damaged.
    """
    paths = {name: MNIST_FOLDER / name for name in IDX_SHAPES}
    return _dataset_of_idx(paths, MNIST_SHA256, "install lightnn again")


def load_fashion_mnist() -> Dataset:
    """Fashion-MNIST, Zalando's clothes in MNIST's format: x (60000, 1, 28, 28) and (10000, 1, 28, 28), 10 classes.

    Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747 (MIT licence). Classes 0 to 9: T-shirt/top, trouser, pullover,
    dress, coat, sandal, shirt, sneaker, bag, ankle boot.
    It looks for the four .gz files in $LIGHTNN_DATA/fashion-mnist, $LIGHTNN_DATA and the user's cache folder, and
    downloads missing ones into the cache folder (31 MB).
    Raises DataNotFoundError (a FileNotFoundError) when it can't get them, ValueError when a file is damaged.
    """
    paths = obtain(FASHION_MNIST, _verify_fashion_mnist)
    return _dataset_of_idx(paths, FASHION_MNIST_SHA256, DELETE_IT)


def load_cifar10() -> Dataset:
    """CIFAR-10, small colour photographs: x (50000, 3, 32, 32) and (10000, 3, 32, 32), 10 classes; 740 MB in memory.

    Krizhevsky 2009, "Learning multiple layers of features from tiny images". Classes 0 to 9: airplane, automobile,
    bird, cat, deer, dog, frog, horse, ship, truck.
    It looks for cifar-10-binary.tar.gz in $LIGHTNN_DATA/cifar-10, $LIGHTNN_DATA and the user's cache folder, and
    downloads it into the cache folder if it is in none of them (170 MB).
    Raises DataNotFoundError (a FileNotFoundError) when it can't get it, ValueError when the file is damaged.
    """
    (path,) = obtain(CIFAR10, _verify_cifar10).values()
    _verify_cifar10(path, path.name, f"{path} ({DELETE_IT})")
    x_train, y_train, x_test, y_test = read_cifar10(path, CIFAR10_RECORDS)
    return Dataset(_to_unit_floats(x_train), y_train.astype(np.int64), _to_unit_floats(x_test), y_test.astype(np.int64))


def _dataset_of_idx(paths: dict[str, Path], sha256: dict[str, str], remedy: str) -> Dataset:
    """Read the four IDX files; images get their channel axis. `remedy`: an error's advice on a damaged file."""
    x_train, y_train, x_test, y_test = (
        read_idx(paths[name], shape, sha256[name], f"{paths[name]} ({remedy})") for name, shape in IDX_SHAPES.items()
    )
    return Dataset(
        _to_unit_floats(x_train[:, None]),
        y_train.astype(np.int64),
        _to_unit_floats(x_test[:, None]),
        y_test.astype(np.int64),
    )


def _verify_fashion_mnist(path: Path, name: str, where: str) -> None:
    read_idx(path, IDX_SHAPES[name], FASHION_MNIST_SHA256[name], where)


def _verify_cifar10(path: Path, name: str, where: str) -> None:
    check_sha256(path, CIFAR10_SHA256, where)


def _to_unit_floats(pixels: np.ndarray) -> np.ndarray:
    """uint8 0 to 255 -> float32 0 to 1."""
    return np.divide(pixels, np.float32(255), dtype=np.float32)
