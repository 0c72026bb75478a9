"""The best path of the micro-kernel on this host, with --thorough every one that it can run; for the best one the
parallel form of small kernels, too."""

import numpy as np
import pytest

from lightnn.kernels import parallel
from lightnn.kernels.binary import popcount, product

THOROUGH = [pytest.param(path, marks=pytest.mark.thorough) for path in popcount.PATHS[1:]]


@pytest.fixture(params=[popcount.BEST, *THOROUGH], ids=lambda path: type(path).__name__)
def path(request):
    return request.param


@pytest.fixture(params=["few", "many"])
def threads(request, monkeypatch):
    """With "many" a kernel is cut into parts however little there is to do."""
    if request.param == "many":
        monkeypatch.setattr(parallel, "SERIAL_WORK", 0)
        monkeypatch.setattr(product, "SERIAL_BITS", 0)


def pytest_collection_modifyitems(items):
    """The parallel form is compiled for the best path only: it cuts the work, and does not depend on the path."""
    items[:] = [item for item in items if not _again(getattr(getattr(item, "callspec", None), "params", {}))]


def _again(params):
    return params.get("threads") == "many" and params.get("path", popcount.BEST) != popcount.BEST


@pytest.fixture
def signs(rng):
    """signs(shape): an array of -1 and +1, int64."""
    return lambda *shape: rng.choice(np.array([-1, 1]), shape)
