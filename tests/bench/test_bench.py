"""lightnn/bench: both sides of a comparison compute the same thing, and a module registers itself."""

import dataclasses
import json
import sys

import numpy as np
import pytest

import lightnn.bench
from lightnn.__main__ import main
from lightnn.bench import convolution, filters, sparse, suite, timing, training
from lightnn.data import Dataset

CASES = [
    (2, 4, 9, 6, 3, 1, 1, 1, 1),
    (2, 4, 9, 6, 3, 2, 1, 1, 2),
    (1, 4, 9, 4, 5, 2, 2, 1, 4),
    (1, 2, 9, 3, 3, 1, 2, 2, 1),
]


def same(pairs):
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours(), np.asarray(theirs()).reshape(ours().shape), rtol=1e-4, atol=1e-4)


@pytest.mark.thorough
@pytest.mark.parametrize("case", CASES)
def test_plain_numpy_computes_what_the_kernels_do(case):
    same(convolution.convolution(case, None))


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_pytorch_is_asked_for_what_the_kernels_do(case, torch):
    def gradient(call):
        result = call()
        return next(r for r in result if r is not None) if isinstance(result, tuple) else result

    same([(ours, lambda f=theirs: gradient(f)) for ours, theirs in convolution.convolution(case, torch)])


def test_slices_shift_as_the_kernel_does():
    [(ours, theirs)], _ = convolution.shifting((2, 20, 6), None)
    np.testing.assert_array_equal(ours(), theirs())


def test_the_suite_has_the_shapes_that_it_promises():
    assert {name: len(cases) for name, cases in convolution.FAMILIES.items()} == {
        "dense": 26,
        "depthwise": 40,
        "grouped": 20,
        "shift": 10,
    }


LAYERS = [(1, 9, 7), (3, 9, 7), (9, 7, 3), (1, 2, 6, 5, 3, 1), (2, 3, 7, 4, 5, 0)]


def agree(calls, size):
    ours, *others = calls.values()
    for other in others:
        np.testing.assert_allclose(ours(), np.asarray(other()).reshape(size), rtol=1e-4, atol=1e-4)


@pytest.mark.thorough
@pytest.mark.parametrize("case", LAYERS)
def test_sparse_layers_and_dense_numpy_compute_the_same(case, rng):
    calls = sparse.layer(case, 0.4, None, rng)
    assert list(calls) == ["sparse", "NumPy", "lightnn"]
    agree(calls, calls["sparse"]().shape)


@pytest.mark.parametrize("columns", [1, 5])
def test_sparse_products_and_dense_numpy_compute_the_same(columns, rng):
    agree(sparse.products((6, 9), 0.4, columns, None, rng), (6, columns))


@pytest.mark.oracle
@pytest.mark.parametrize("case", LAYERS)
def test_pytorch_is_asked_for_what_the_sparse_layers_do(case, torch, rng):
    calls = sparse.layer(case, 0.4, torch, rng)
    assert list(calls) == ["sparse", "NumPy", "lightnn", "PyTorch", "CSR"]
    agree(calls, calls["sparse"]().shape)


@pytest.mark.oracle
@pytest.mark.parametrize("columns", [1, 5])
def test_pytorch_is_asked_for_what_the_sparse_products_do(columns, torch, rng):
    calls = sparse.products((6, 9), 0.4, columns, torch, rng)
    assert ("vector" in calls) == (columns == 1)
    agree(calls, (6, columns))


@pytest.mark.parametrize(
    ("ours", "theirs", "want"),
    [
        ([1, 2, 3], [5, 5, 5], 1.0),  # faster everywhere
        ([6, 7, 8], [5, 5, 5], 0.0),  # nowhere
        ([1, 4, 8], [5, 5, 5], 0.5 + 0.5 * 1 / 4),  # a quarter of the way from lead 1 to lead -3
        ([1, 5, 4], [5, 5, 9], 0.5),  # a density where both are equal; what is beyond does not count
    ],
)
def test_break_even_is_where_the_lead_ends(ours, theirs, want):
    assert sparse.break_even([0.1, 0.5, 1.0], ours, theirs) == pytest.approx(want)


def test_the_sparse_benchmark_runs_without_pytorch_and_fits_the_screen(monkeypatch, tmp_path):
    run, lines = sparse.run, []
    monkeypatch.setitem(run.__globals__, "find_torch", lambda: None)
    monkeypatch.setitem(run.__globals__, "medians_ms", lambda calls: [float(i + 1) for i, _ in enumerate(calls)])
    cases = {"LeNet-300-100 fc1 b64": (2, 9, 7), "a convolution": (1, 2, 6, 5, 3, 1)}
    result = run(
        {"LeNet-300-100 fc1": (6, 9)}, cases, (0.02, 0.3), (0.1, 1.0), lambda text: lines.extend(text.split("\n"))
    )
    assert max(map(len, lines)) <= 80
    assert result["least ratio"] == {"1": 2.0, "64": 2.0} and "NumPy" in result["opponent"]
    assert result["layers"]["a convolution"]["break-even"] == {"NumPy": 1.0, "lightnn": 1.0}
    assert json.loads(json.dumps(result)) == result
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib: pip install -e .[study]")
    sparse.plot(result, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000


def test_the_sparse_benchmark_has_the_cases_that_it_promises():
    assert sparse.DENSITIES == (0.02, 0.05, 0.1, 0.2, 0.3) and sparse.COLUMNS == (1, 64)
    assert len(sparse.LAYERS) == 4 and len(sparse.CASES) == 8 and sparse.SWEEP[-1] == 1.0


@pytest.mark.thorough
def test_the_filters_are_trained_from_every_seed(monkeypatch):
    """On 40 noise digits, one epoch; the seed decides the result."""
    rng = np.random.default_rng(0)
    noise = Dataset(rng.random((60, 1, 28, 28), np.float32), rng.integers(0, 10, 60), *[np.zeros(0)] * 2)
    monkeypatch.setattr(filters, "VALIDATION", 20)
    monkeypatch.setattr(filters.data, "load_mnist", lambda: noise)
    monkeypatch.setattr(filters.validation_error, "__defaults__", (40, 1))
    lines = []
    result = filters.run(("full", "unshuffled"), (0, 1), lines.append)
    assert list(result["error %"]) == ["full", "unshuffled"] and result["seeds"] == [0, 1]
    assert all(len(errors) == 2 and min(errors) >= 0 for errors in result["error %"].values())
    assert json.loads(json.dumps(result)) == result and len(lines) == 2
    assert filters.validation_error("full", 1, noise) == result["error %"]["full"][1]


# The registry


MADE_UP = """
import pathlib
from lightnn.bench.suite import Suite

def plot(result, path):
    pathlib.Path(path).write_text(str(result))

SUITE = Suite(("fast", "slow"), "what nobody timed", lambda families: {"families": list(families)}, plot)
"""


@pytest.fixture
def made_up(tmp_path, monkeypatch):
    """A benchmark whose module lies in lightnn/bench for the time of a test."""
    (tmp_path / "nobody.py").write_text(MADE_UP)
    monkeypatch.setattr("lightnn.bench.__path__", [*lightnn.bench.__path__, str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    yield
    sys.modules.pop("lightnn.bench.nobody", None)


def test_the_families_come_from_the_modules(made_up):
    ours = ["dense", "depthwise", "grouped", "shift", "binary", "efficientnets", "filters", "inference", "int8"]
    ours += ["lite0", "tables", "networks", "quantization", "retraining", "roofline", "sparse", "techniques"]
    ours += ["training", "zoo", "measures"]
    assert suite.families() == [*ours, "fast", "slow"]
    assert "what nobody timed" in suite.table() and max(map(len, suite.table().splitlines())) <= 80


@pytest.mark.parametrize(("chosen", "ran"), [(["slow"], ["slow"]), (["slow", "fast"], ["slow", "fast"])])
def test_the_command_line_runs_a_benchmark_that_has_a_module(made_up, capsys, chosen, ran):
    assert main(["bench", *chosen, "--json", "a.json", "--plot", "a.svg"]) == 0
    with open("a.json") as record, open("a.svg") as picture:
        assert json.load(record)["families"] == ran and str(ran) in picture.read()
    assert main(["bench", "fast", "sparse"]) == 2
    assert "want sparse alone, it is a benchmark of its own; got fast sparse" in capsys.readouterr().err


def test_without_a_family_the_convolutions_run(monkeypatch):
    runs = []
    monkeypatch.setattr(convolution, "SUITE", dataclasses.replace(convolution.SUITE, run=runs.append))
    assert suite.run([], "a command") is None and runs == [("dense", "depthwise", "grouped", "shift")]
    suite.run(["shift", "dense"], "a command")
    assert runs[1] == ("shift", "dense")


def test_a_benchmark_that_needs_pytorch_says_so(monkeypatch, capsys):
    monkeypatch.setattr(training, "find_torch", lambda: None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["bench", "training"]) == 2
    error = capsys.readouterr().err
    assert "which is not installed: pip install -e '.[oracles]'" in error and len(error.splitlines()) == 1


@pytest.mark.oracle
def test_training_is_timed_in_turn(monkeypatch, torch):
    """On 640 noise images, one round."""
    rng = np.random.default_rng(0)
    images = rng.random((640, 1, 28, 28), np.float32), rng.integers(0, 10, 640)
    monkeypatch.setattr(training.data, "load_mnist", lambda: Dataset(*images, *images))
    monkeypatch.setattr(training, "peak_megabytes", lambda library, model: 99.5)
    lines = []
    result = training.run(("lenet_300_100",), 1, lambda text: lines.extend(text.split("\n")))
    row = result["rows"]["lenet_300_100"]
    assert row["ratio"] == row["least"] == row["most"] == row["PyTorch s"] / row["lightnn s"]
    assert json.loads(json.dumps(result)) == result and len(lines) in (2, 3)


@pytest.mark.thorough
@pytest.mark.skipif(sys.platform != "linux", reason="reads Linux's /proc")
def test_peak_memory_is_that_of_a_process_of_its_own():
    """The test process's own size does not count."""
    own = np.ones(100_000_000)  # 800 MB
    assert 50 < training.peak_megabytes("lightnn", "lenet_300_100", batches=1) < own.nbytes / 2**20


def test_the_benchmark_of_convolutions_reports_every_family_and_draws_it(monkeypatch, tmp_path):
    run, lines = convolution.run, []
    monkeypatch.setitem(run.__globals__, "find_torch", lambda: None)
    monkeypatch.setitem(run.__globals__, "medians_ms", lambda calls: [float(i + 1) for i, _ in enumerate(calls)])
    cases = {"dense": {"a": CASES[0]}, "shift": {"b": (2, 20, 6)}}
    monkeypatch.setitem(run.__globals__, "FAMILIES", cases)
    result = run(("dense", "shift"), lambda text: lines.extend(text.split("\n")))
    assert max(map(len, lines)) <= 80
    assert result["rows"]["dense"]["a"] == {
        "ours ms": 3.0, "theirs ms": 6.0, "ratio": 2.0, "forward": 2.0, "input": 2.0, "weight": 2.0,
    }  # fmt: skip
    assert result["rows"]["shift"]["b"]["copy / ours"] == 3.0
    assert result["summary"]["dense"] == {"geometric mean": pytest.approx(2.0), "least": 2.0}
    pytest.importorskip("matplotlib", reason="the picture needs matplotlib: pip install -e .[study]")
    convolution.plot(result, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_calls_take_turns_in_bursts_and_two_of_a_burst_do_not_count():
    turns = []
    times = timing.medians_ms([lambda: turns.append("a"), lambda: turns.append("b")], rounds=2, seconds=0)
    assert len(times) == 2 and min(times) >= 0
    assert "".join(turns) == "aaaaabbbbb" * 2  # two that are not counted, and three that are
