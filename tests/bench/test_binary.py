"""lightnn/bench/binary.py: both sides compute the same on signs, and the benchmark runs and fits the screen."""

import json

import numpy as np
import pytest

from lightnn.bench import binary
from lightnn.tensor import Tensor


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("make", "case"), [(binary.linear, (9, 70, 12)), (binary.convolution, (2, 70, 9))], ids=("linear", "conv")
)
def test_pytorch_multiplies_the_same_signs(make, case, torch, monkeypatch):
    """Of numbers that are signs already, with scales of 1."""
    draw = binary.numbers
    monkeypatch.setattr(binary, "numbers", lambda shape, seed: np.ones(shape, np.float32) if len(shape) == 1 else
                        np.where(draw(shape, seed) >= 0, np.float32(1), np.float32(-1)))  # fmt: skip
    ours, packing, other = make(case, torch)
    np.testing.assert_array_equal(ours(), other().numpy())
    packing()
    np.testing.assert_allclose(make(case, None)[2](), ours(), atol=1e-3)  # Winograd's sums of whole numbers are rounded


@pytest.mark.thorough
def test_the_networks_of_the_benchmark(rng):
    x = rng.random((8, 1, 28, 28), np.float32)
    networks = binary.networks(x)
    assert list(networks) == ["float32", "folded", "binary"]
    a, b, bits = (model(Tensor(x)).data for model in networks.values())
    np.testing.assert_allclose(a, b, atol=1e-4)
    assert bits.shape == (8, 10) and np.isfinite(bits).all()
    kinds = [type(m).__name__ for m in networks["binary"].modules()]
    assert kinds.count("BinaryConv2d") == kinds.count("BinaryLinear") == 1 and kinds.count("PackSigns") == 2


@pytest.mark.thorough
def test_the_benchmark_runs_without_pytorch_and_fits_the_screen(monkeypatch):
    lines = []
    monkeypatch.setattr(binary, "find_torch", lambda: None)
    monkeypatch.setattr(binary, "BATCH", 2)
    monkeypatch.setattr(
        binary, "medians_ms", lambda calls, rounds: [call() is None or i + 1.0 for i, call in enumerate(calls)]
    )
    parts = {"matrices": {"linear a": (3, 5, 2)}, "convolutions": {"conv b": (1, 4, 5)}}
    result = binary.run(parts, 1, lambda text: lines.extend(text.split("\n")))
    assert max(map(len, lines)) <= 80
    assert result["rows"]["linear a"] == {"ms": 1.0, "packing": 2.0, "ratio": 3.0}
    assert result["summary"]["geometric mean"] == pytest.approx(3) and result["LeNet-5"]["binary ms"] == 3
    assert json.loads(json.dumps(result)) == result


def test_the_benchmark_has_the_cases_that_it_promises():
    assert {part: len(cases) for part, cases in binary.PARTS.items()} == {"matrices": 5, "convolutions": 12}
