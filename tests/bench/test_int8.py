"""lightnn/bench/int8.py: both sides compute the same, to a unit of the last place."""

import json

import numpy as np
import pytest

from lightnn.bench import int8

CASES = [
    (2, 4, 9, 6, 3, 1, 1, 1, 1),
    (2, 4, 9, 6, 3, 2, 1, 1, 2),
    (1, 4, 9, 4, 5, 2, 2, 1, 4),
    (1, 2, 9, 3, 3, 1, 2, 2, 1),
]


@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES)
def test_pytorch_convolves_the_same_bytes(case, torch):
    calls = int8.convolution(case, torch)
    ours = calls["lightnn"]().transpose(0, 3, 1, 2).astype(int)
    assert 30 < ours.std() < 110 and set(calls) & set(int8.ENGINES)
    for engine in set(calls) & set(int8.ENGINES):
        assert np.abs(calls[engine]().int_repr().numpy().astype(int) - ours).max() <= 1


@pytest.mark.oracle
@pytest.mark.parametrize("case", [(6, 32, 40), (3, 5, 20)])
def test_pytorch_multiplies_the_same_bytes(case, torch):
    calls = int8.linear(case, torch)
    ours, (x, w, *_) = calls["lightnn"]().astype(int), int8.operands((case[2], case[1]), (case[0], case[1]))
    np.testing.assert_array_equal(calls["sums"](), (x.astype(int) - 128) @ w.T.astype(int))
    np.testing.assert_array_equal(calls["_int_mm"]().numpy(), (x >> 1).astype(int) @ w.T.astype(int))
    for engine in set(calls) & set(int8.ENGINES):
        assert np.abs(calls[engine]().int_repr().numpy().astype(int) - ours).max() <= 1


@pytest.mark.thorough
def test_the_benchmark_runs_without_pytorch_and_fits_the_screen(monkeypatch):
    lines = []
    monkeypatch.setattr(int8, "find_torch", lambda: None)
    monkeypatch.setattr(int8, "medians_ms", lambda calls: [call() is None or i + 1.0 for i, call in enumerate(calls)])
    parts = {"linear": {"a": (3, 5, 2)}, "dense": {"b": CASES[0]}, "depthwise": {"c": CASES[2], "d": CASES[2]}}
    result = int8.run(("int8",), parts, lambda text: lines.extend(text.split("\n")))
    assert max(map(len, lines)) <= 80
    assert result["rows"]["linear"] == {"a": {"ours ms": 1.0, "float32": 3.0}}
    assert result["summary"]["depthwise"]["ours"] == {"geometric mean": pytest.approx(2.0), "least": 2.0}
    assert json.loads(json.dumps(result)) == result


def test_the_benchmark_has_the_cases_that_it_promises():
    assert {part: len(cases) for part, cases in int8.PARTS.items()} == {
        "linear": 4,
        "dense": 26,
        "grouped": 20,
        "depthwise": 40,
    }
