"""lightnn/data/datasets.py: the real MNIST, the real Fashion-MNIST where there is a copy, small files elsewhere."""

import dataclasses
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest

from lightnn.data import DataNotFoundError, Dataset, datasets, load_cifar10, load_fashion_mnist, load_mnist
from lightnn.data.checks import check_images_labels

MNIST_TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
MNIST_TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
SMALL_SHAPES = {
    "train-images-idx3-ubyte.gz": (6, 5, 4),
    "train-labels-idx1-ubyte.gz": (6,),
    "t10k-images-idx3-ubyte.gz": (3, 5, 4),
    "t10k-labels-idx1-ubyte.gz": (3,),
}


def assert_like(data, train_shape, test_shape):
    """Shapes, types, range and ownership that every data set promises."""
    assert data.x_train.shape == train_shape
    assert data.x_test.shape == test_shape
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert x.dtype == np.float32
        assert y.dtype == np.int64
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert y.flags.writeable
        assert x.min() == 0
        assert x.max() == 1
        check_images_labels(x, y, 10)


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


def test_mnist(mnist):
    assert_like(mnist, (60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert np.bincount(mnist.y_train).tolist() == MNIST_TRAIN_COUNTS
    assert np.bincount(mnist.y_test).tolist() == MNIST_TEST_COUNTS
    assert mnist.y_train[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.x_train.mean() == pytest.approx(0.1307, abs=5e-5)
    assert mnist.x_train.std() == pytest.approx(0.3081, abs=5e-5)


def test_pixels_are_exact_255ths(mnist):
    np.testing.assert_array_equal(np.unique(mnist.x_test), (np.arange(256) / np.float32(255)).astype(np.float32))


def test_dataset_is_frozen_and_shows_shapes(mnist):
    with pytest.raises(dataclasses.FrozenInstanceError):
        mnist.x_train = None
    assert repr(mnist).startswith("Dataset(x_train float32 (60000, 1, 28, 28), y_train int64 (60000,), x_test")
    assert repr(mnist).endswith(", 10 classes)") and mnist.num_classes == 10


def test_readme_beside_mnist_gives_the_right_checksums():
    readme = (datasets.MNIST_FOLDER / "README.md").read_text(encoding="utf-8")
    for name, unpacked_sha256 in datasets.MNIST_SHA256.items():
        packed = (datasets.MNIST_FOLDER / name).read_bytes()
        assert f"| `{name}` | {len(packed):,} | `{hashlib.sha256(packed).hexdigest()}` |" in readme
        assert unpacked_sha256 in readme


def test_damaged_mnist_names_the_file_and_the_remedy(monkeypatch, tmp_path):
    for name in datasets.IDX_SHAPES:
        (tmp_path / name).write_bytes((datasets.MNIST_FOLDER / name).read_bytes())
    path = tmp_path / "train-images-idx3-ubyte.gz"
    packed = bytearray(path.read_bytes())
    packed[len(packed) // 2] ^= 1
    path.write_bytes(packed)
    monkeypatch.setattr(datasets, "MNIST_FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz \(install lightnn again\): want"):
        load_mnist()


@pytest.fixture
def small_fashion(monkeypatch, idx_bytes, write_gz):
    """Four small IDX files that pass the checksums, in the folder remote/; returns {name: path}."""
    raws = {}
    for seed, (name, shape) in enumerate(SMALL_SHAPES.items()):
        body = bytes((0, 255)) + bytes(range(int(np.prod(shape)) - 2)) if len(shape) == 3 else None
        raws[name] = idx_bytes(shape, body=body, seed=seed)
    monkeypatch.setattr(datasets, "IDX_SHAPES", SMALL_SHAPES)
    checksums = {name: hashlib.sha256(raw).hexdigest() for name, raw in raws.items()}
    monkeypatch.setattr(datasets, "FASHION_MNIST_SHA256", checksums)
    return {name: write_gz(raw, f"remote/{name}") for name, raw in raws.items()}


def test_fashion_mnist_from_a_folder(small_fashion, monkeypatch, tmp_path):
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path / "remote"))
    assert_like(load_fashion_mnist(), (6, 1, 5, 4), (3, 1, 5, 4))


def test_fashion_mnist_file_of_another_data_set(small_fashion, monkeypatch, tmp_path, idx_bytes, write_gz):
    write_gz(idx_bytes((3,), seed=99), "remote/t10k-labels-idx1-ubyte.gz")
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path / "remote"))
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte\.gz \(delete it .*\): want SHA-256"):
        load_fashion_mnist()


def serve_folder(monkeypatch, source_name, folder):
    """Make a data set's only address the given folder, and urlopen the true one."""
    import urllib.request

    source = dataclasses.replace(getattr(datasets, source_name), prefixes=(folder.as_uri() + "/",))
    monkeypatch.setattr(datasets, source_name, source)
    monkeypatch.setattr(urllib.request, "urlopen", urllib.request.build_opener().open)


def test_fashion_mnist_downloaded(small_fashion, monkeypatch, cache, no_data_variable, tmp_path):
    serve_folder(monkeypatch, "FASHION_MNIST", tmp_path / "remote")
    assert_like(load_fashion_mnist(), (6, 1, 5, 4), (3, 1, 5, 4))
    assert sorted(path.name for path in (cache / "fashion-mnist").iterdir()) == sorted(SMALL_SHAPES)


def test_fashion_mnist_damaged_download(small_fashion, monkeypatch, cache, no_data_variable, tmp_path):
    serve_folder(monkeypatch, "FASHION_MNIST", tmp_path / "remote")
    path = small_fashion["train-labels-idx1-ubyte.gz"]
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataNotFoundError, match=r"file://.*train-labels.*want a whole gzip file"):
        load_fashion_mnist()
    assert [path.name for path in (cache / "fashion-mnist").iterdir()] == ["train-images-idx3-ubyte.gz"]


@pytest.mark.parametrize(
    ("load", "address", "folder"),
    [
        (
            load_fashion_mnist,
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "fashion-mnist",
        ),
        (load_cifar10, "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "cifar-10"),
    ],
)
def test_offline(load, address, folder, cache, no_data_variable):
    with pytest.raises(FileNotFoundError) as caught:
        load()
    assert address in str(caught.value)
    assert str(cache / folder) in str(caught.value)


def test_cifar10_from_a_folder(write_cifar, monkeypatch, tmp_path):
    path, labels, images = write_cifar(n=4, folder=tmp_path / "data" / "cifar-10")
    monkeypatch.setenv("LIGHTNN_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(datasets, "CIFAR10_RECORDS", 4)
    monkeypatch.setattr(datasets, "CIFAR10_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    data = load_cifar10()
    assert_like(data, (20, 3, 32, 32), (4, 3, 32, 32))
    np.testing.assert_array_equal(data.y_test, labels[5])
    np.testing.assert_array_equal(data.x_test, images[5].astype(np.float32) / np.float32(255))


def test_cifar10_downloaded_and_checksum(write_cifar, monkeypatch, cache, no_data_variable, tmp_path):
    path, _, _ = write_cifar(n=4, folder=tmp_path / "remote")
    serve_folder(monkeypatch, "CIFAR10", path.parent)
    monkeypatch.setattr(datasets, "CIFAR10_RECORDS", 4)
    with pytest.raises(DataNotFoundError, match="want SHA-256 c4a38c50"):
        load_cifar10()
    assert list((cache / "cifar-10").iterdir()) == []
    monkeypatch.setattr(datasets, "CIFAR10_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(load_cifar10().x_train) == 20
    (cache / "cifar-10" / path.name).write_bytes(b"damaged")
    with pytest.raises(ValueError, match=r"cifar-10-binary\.tar\.gz \(delete it .*\): want SHA-256"):
        load_cifar10()


def test_tables_cover_the_same_files():
    assert list(datasets.IDX_SHAPES) == list(datasets.MNIST_SHA256) == list(datasets.FASHION_MNIST_SHA256)
    assert all(len(value) == 64 for value in (*datasets.MNIST_SHA256.values(), datasets.CIFAR10_SHA256))
    assert [field.name for field in dataclasses.fields(Dataset)] == ["x_train", "y_train", "x_test", "y_test"]


def has_copy(source):
    root = os.environ.get("LIGHTNN_DATA")
    folders = [Path(root) / source.folder, Path(root)] if root else []
    return any(all((folder / name).is_file() for name in source.files) for folder in folders)


@pytest.mark.skipif(not has_copy(datasets.FASHION_MNIST), reason="no Fashion-MNIST at $LIGHTNN_DATA")
def test_true_fashion_mnist():
    data = load_fashion_mnist()
    assert_like(data, (60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert np.bincount(data.y_train).tolist() == [6000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
    assert data.x_train.mean() == pytest.approx(0.2860, abs=5e-5)


@pytest.mark.skipif(not has_copy(datasets.CIFAR10), reason="no CIFAR-10 at $LIGHTNN_DATA")
def test_true_cifar10():
    data = load_cifar10()
    assert_like(data, (50_000, 3, 32, 32), (10_000, 3, 32, 32))
    assert np.bincount(data.y_train).tolist() == [5000] * 10
    assert np.bincount(data.y_test).tolist() == [1000] * 10
