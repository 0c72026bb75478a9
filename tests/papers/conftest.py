"""For the papers' tests: a few images that a network learns in seconds."""

import numpy as np
import pytest

from lightnn import data


@pytest.fixture(scope="session")
def patterns():
    """patterns(training, test): that many images, ten patterns with noise."""

    def make(training, test):
        rng, count = np.random.default_rng(0), training + test
        y = rng.integers(0, 10, count)
        x = ((rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((count, 1, 28, 28))).astype(np.float32)
        return data.Dataset(x[:training], y[:training], x[training:], y[training:])

    return make


@pytest.fixture(scope="session")
def images(patterns):
    """600 training, 200 validation and 200 test images."""
    return patterns(800, 200)
