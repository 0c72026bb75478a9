"""Shared by all tests: a seeded generator, PyTorch, which is skipped where it is missing, and how Hypothesis draws.

Hypothesis draws the same cases in every run and keeps no database. `pytest --long tests/test_fuzz.py -s` draws many
more for the readers of files, and prints how many there were. `pytest --thorough` runs the tests marked `thorough` too.
"""

import os
import pathlib
import sys
import tempfile
import time
import types

import hypothesis
import numpy as np
import pytest

# NumPy's threads too must sleep while they wait: two test processes share the cores. (lightnn's own do: startup.py.)
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")  # 2^4 cycles

CASES, THOROUGH_CASES, LONG_CASES = 500, 2000, 25_000  # of each reader: with --long, 100,000 for the four

hypothesis.configuration.set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), "lightnn-hypothesis"))
hypothesis.settings.register_profile(
    "lightnn",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=10 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 100,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("lightnn")


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help=f"draw {LONG_CASES} damaged files a reader, not {CASES}")
    parser.addoption("--thorough", action="store_true", help="run the tests marked thorough, too: minutes more")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--thorough"):
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(pytest.mark.skip(reason="takes long: pytest --thorough"))
    if os.environ.get("NUMBA_DISABLE_JIT") == "1":
        for item in items:
            if item.get_closest_marker("compiled"):
                item.add_marker(pytest.mark.skip(reason="too slow without the compiler"))


@pytest.fixture
def fuzz(request):
    """fuzz(case): run a Hypothesis test of a reader as often as --long says. case returns what came of the file, such
    as "read" or "refused"; there must be some of each."""

    def run(case, strategy, wanted=("read", "refused")):
        found, start = {}, time.perf_counter()

        def count(drawn):
            result = case(drawn)
            found[result] = found.get(result, 0) + 1

        option = request.config.getoption
        cases = LONG_CASES if option("--long") else THOROUGH_CASES if option("--thorough") else CASES
        hypothesis.settings(max_examples=cases)(hypothesis.given(strategy)(count))()
        seconds = time.perf_counter() - start
        print(f"\n{request.node.name}: {sum(found.values())} cases in {seconds:.0f} s: {found}")
        assert sum(found.values()) >= cases and set(wanted) <= set(found), found

    return run


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
