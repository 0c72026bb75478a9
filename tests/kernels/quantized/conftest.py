"""Every path of the micro-kernel that this host can run."""

import pytest

from lightnn.kernels.quantized import quads


@pytest.fixture(params=quads.PATHS, ids=lambda path: type(path).__name__)
def path(request):
    return request.param
