"""Shared by all tests: a seeded generator, PyTorch, which is skipped where it is missing, and how Hypothesis draws.

Hypothesis draws the same cases in every run and keeps no database. `pytest --long tests/test_fuzz.py -s` draws many
more for the readers of files, and prints how many there were. `pytest --thorough` runs the tests marked `thorough` too.
"""

import io
import os
import pathlib
import struct
import sys
import tempfile
import time
import types
import zipfile

import hypothesis
import numpy as np
import pytest

CASES, THOROUGH_CASES, LONG_CASES = 200, 2000, 25_000  # of each reader
EXAMPLES, THOROUGH_EXAMPLES, PLAIN_EXAMPLES = 30, 100, 10  # of each property; the last without the compiler

hypothesis.configuration.set_hypothesis_home_dir(pathlib.Path(tempfile.gettempdir(), "lightnn-hypothesis"))


def pytest_configure(config):
    plain = os.environ.get("NUMBA_DISABLE_JIT") == "1"
    examples = PLAIN_EXAMPLES if plain else THOROUGH_EXAMPLES if config.getoption("--thorough") else EXAMPLES
    hypothesis.settings.register_profile(
        "lightnn",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=examples,
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
    _share_compiling(items, int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))


def _share_compiling(items, workers):
    """Each process begins with the tests of other kernels: what one has compiled, the others read from the cache.

    pytest-xdist gives each process an equal part of the list, in order, and moves what is left when one is idle."""
    if workers == 1:
        return
    folder = pathlib.Path(__file__).parent / "kernels"
    files = sorted({item.path for item in items if folder in item.path.parent.parents})
    place = {path: i % workers for i, path in enumerate(files)}
    rest, size = [item for item in items if item.path not in place], -(-len(items) // workers)
    ordered = []
    for worker in range(workers):
        own = [item for item in items if place.get(item.path) == worker]
        count = size - len(own) if worker < workers - 1 else len(rest)
        ordered += own + rest[: max(0, count)]
        del rest[: max(0, count)]
    items[:] = ordered


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
def thorough(request):
    """Whether pytest runs with --thorough."""
    return request.config.getoption("--thorough")


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


class TorchFiles:
    """PyTorch's files, written by hand as lightnn/io/torch_file.py specifies them: opcodes are bytes, put together."""

    @staticmethod
    def text(text):
        return b"X" + struct.pack("<I", len(text.encode())) + text.encode()

    @staticmethod
    def whole(n):
        return b"J" + struct.pack("<i", n) if abs(n) < 2**31 else b"\x8a\x08" + struct.pack("<q", n)

    @staticmethod
    def name(module, name):
        return f"c{module}\n{name}\n".encode()

    @staticmethod
    def several(*items):
        return b"(" + b"".join(items) + b"t"

    @classmethod
    def table(cls, items):
        """A dict of {text: opcodes}."""
        return b"}(" + b"".join(cls.text(name) + value for name, value in items.items()) + b"u"

    @classmethod
    def storage(cls, kind, key, count, view=None):
        """kind: such as Float. view: opcodes of the sixth part, in the stream format alone."""
        parts = [cls.text("storage"), cls.name("torch", f"{kind}Storage"), cls.text(key), cls.text("cpu")]
        return cls.several(*parts, cls.whole(count), *([] if view is None else [view])) + b"Q"

    @classmethod
    def tensor(cls, storage, offset, shape, strides, function="_rebuild_tensor_v2"):
        shape, strides = (cls.several(*map(cls.whole, sizes)) for sizes in (shape, strides))
        hooks = cls.name("collections", "OrderedDict") + b")R"
        arguments = cls.several(storage, cls.whole(offset), shape, strides, b"\x89", hooks)
        return cls.name("torch._utils", function) + arguments + b"R"

    @staticmethod
    def pickled(opcodes):
        return b"\x80\2" + opcodes + b"."

    @staticmethod
    def zip_of(members, method=zipfile.ZIP_STORED):
        """A zip archive of [(name, bytes)]."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", method) as archive:
            for name, data in members:
                archive.writestr(zipfile.ZipInfo(name), data, method)
        return out.getvalue()

    @classmethod
    def zipped(cls, opcodes, storages, byteorder="little", method=zipfile.ZIP_STORED):
        """The zip format; storages: {key: bytes}."""
        members = [("a/data.pkl", cls.pickled(opcodes)), ("a/byteorder", byteorder.encode()), ("a/version", b"3\n")]
        return cls.zip_of([*members, *((f"a/data/{key}", data) for key, data in storages.items())], method)

    @classmethod
    def stream(cls, opcodes, storages):
        """The old format; storages: {key: (count, bytes)}."""
        magic = b"\x8a\x0a" + 0x1950A86A20F9469CFC6C.to_bytes(10, "little")
        keys = b"](" + b"".join(map(cls.text, storages)) + b"e"
        pickles = map(cls.pickled, (magic, cls.whole(1001), b"}", opcodes, keys))
        runs = (struct.pack("<q", count) + data for count, data in storages.values())
        return b"".join(pickles) + b"".join(runs)


@pytest.fixture(scope="session")
def torch_files():
    return TorchFiles
