"""The best path of the micro-kernel on this host, with --thorough every one that it can run; for the best one the
parallel form of small kernels, too."""

import pytest

from lightnn.kernels import parallel
from lightnn.kernels.quantized import conv, quads

THOROUGH = [pytest.param(path, marks=pytest.mark.thorough) for path in quads.PATHS[1:]]


@pytest.fixture(params=[quads.BEST, *THOROUGH], ids=lambda path: type(path).__name__)
def path(request):
    return request.param


@pytest.fixture(params=["few", "many"])
def threads(request, monkeypatch):
    """With "many" a kernel is cut into parts however little there is to do."""
    for module in (parallel, conv) if request.param == "many" else ():
        monkeypatch.setattr(module, "SERIAL_WORK", 0)


def pytest_collection_modifyitems(items):
    """The parallel form is compiled for the best path only: it cuts the work, and does not depend on the path."""
    items[:] = [item for item in items if not _again(getattr(getattr(item, "callspec", None), "params", {}))]


def _again(params):
    return params.get("threads") == "many" and params.get("path", quads.BEST) != quads.BEST
