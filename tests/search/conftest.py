"""For the tests of searches: a few small images, and a network that learns them at once."""

import numpy as np
import pytest

from lightnn import nn
from lightnn.data import Dataset
from lightnn.search import Proxy, proxy


@pytest.fixture
def toy(monkeypatch):
    """A Proxy of 8 x 8 images, four patterns with noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 4, 400)
    x = ((rng.random((4, 1, 8, 8)) < 0.3)[y] * rng.random((400, 1, 8, 8))).astype(np.float32)
    monkeypatch.setitem(proxy.LOADERS, "toy", lambda: Dataset(x[:300], y[:300], x[300:], y[300:]))
    monkeypatch.setattr(proxy, "APART", 100)
    proxy._load.cache_clear()
    yield Proxy("toy", 200, 100)
    proxy._load.cache_clear()


@pytest.fixture
def tiny():
    """make(): a convolution, a depthwise one, a pointwise one, a classifier."""

    def make(rng=0):
        rng = np.random.default_rng(rng)
        return nn.Sequential(
            *(nn.Conv2d(1, 8, 3, 1, 1, bias=False, rng=rng), nn.BatchNorm2d(8, momentum=0.5), nn.ReLU()),
            *(nn.Conv2d(8, 8, 3, 2, 1, groups=8, bias=False, rng=rng), nn.BatchNorm2d(8, momentum=0.5), nn.ReLU()),
            *(nn.Conv2d(8, 16, 1, rng=rng), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten()),
            nn.Linear(64, 4, rng=rng),
        )

    return make


@pytest.fixture
def shape():
    return (1, 1, 8, 8)
