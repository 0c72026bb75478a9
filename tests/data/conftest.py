"""Shared by the data tests: the network off, the user's cache out of reach, and small files in the real formats."""

import gzip
import io
import math
import struct
import tarfile
import urllib.error
import urllib.request

import numpy as np
import pytest

from lightnn.data import fetch


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache folder of the test's own; the network is off."""

    def offline(url, **options):
        raise urllib.error.URLError("network is off")

    root = tmp_path / "cache"
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr(fetch, "cache_folder", lambda source: root / source.folder)
    return root


@pytest.fixture
def no_data_variable(monkeypatch):
    monkeypatch.delenv("LIGHTNN_DATA", raising=False)


@pytest.fixture
def idx_bytes():
    """Function: the unpacked bytes of an IDX file of `shape`, its parts replaceable."""

    def make(shape, *, magic=None, dims=None, body=None, seed=0):
        magic = bytes((0, 0, 8, len(shape))) if magic is None else magic
        dims = shape if dims is None else dims
        body = (
            np.random.default_rng(seed).integers(0, 10, math.prod(shape), np.uint8).tobytes() if body is None else body
        )
        return magic + struct.pack(f">{len(dims)}I", *dims) + body

    return make


@pytest.fixture
def write_gz(tmp_path):
    """Function: write bytes, gzipped, and return the path."""

    def write(raw, name="a.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(raw, mtime=0))
        return path

    return write


@pytest.fixture
def write_cifar(tmp_path):
    """Function: write a CIFAR-10 archive of n records a file; return path, labels (6, n), images (6, n, 3, 32, 32).

    skip: index of a file to leave out; cut: bytes to cut off each file; labels_up_to: exclusive bound of the labels.
    """

    def write(n=4, *, skip=None, cut=0, labels_up_to=10, folder=tmp_path):
        rng = np.random.default_rng(1)
        labels = rng.integers(labels_up_to - 10, labels_up_to, (6, n), np.uint8)
        images = rng.integers(0, 256, (6, n, 3, 32, 32), np.uint8)
        path = folder / "cifar-10-binary.tar.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        names = [*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin"]
        with tarfile.open(path, "w:gz") as tar:
            for i, name in enumerate(names):
                if i != skip:
                    raw = np.concatenate([labels[i][:, None], images[i].reshape(n, -1)], 1).tobytes()
                    member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
                    member.size = len(raw) - cut
                    tar.addfile(member, io.BytesIO(raw[: member.size]))
        return path, labels, images

    return write
