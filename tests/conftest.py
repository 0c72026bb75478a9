"""Shared by all tests: a seeded generator, and `oracle`, which skips where PyTorch is missing."""

import os
import sys
import types

import numpy as np
import pytest

# NumPy's threads too must sleep while they wait: two test processes share the cores. (lightnn's own do: startup.py.)
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 cycles


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def torch():
    """PyTorch, on one thread; the test is skipped where it is not installed (it is in the `oracles` group)."""
    return pytest.importorskip("torch", reason="PyTorch is not installed: pip install -e .[oracles]")


@pytest.fixture(scope="session")
def torchvision(torch):
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("torchvision._meta_registrations"))
    return pytest.importorskip("torchvision", reason="torchvision is not installed: pip install -e .[oracles]")
