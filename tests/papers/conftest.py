"""Shared by the papers' tests: a few images that a network learns in seconds."""

import numpy as np
import pytest

from lightnn import data


@pytest.fixture(scope="session")
def images():
    """600 training, 200 validation and 200 test images: ten patterns with noise."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 1000)
    x = (rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((1000, 1, 28, 28))
    return data.Dataset(x[:800].astype(np.float32), y[:800], x[800:].astype(np.float32), y[800:])
