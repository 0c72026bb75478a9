"""lightnn/bench/networks.py: all three forms compute the same network, and the ratio is that of the faster float."""

import json

import numba
import numpy as np
import pytest

from lightnn import Tensor, models
from lightnn.bench import networks
from lightnn.metrics.timing import Least

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="whole networks take the compiler")


@pytest.mark.thorough
@needs_compiler
def test_the_three_forms_agree():
    images = np.random.default_rng(0).random((16, 1, 12, 12), np.float32)
    each = networks.three(models.filternet_separable(width=8, rng=0), images)
    want, folded, integers = (model(Tensor(images)).data for model in each.values())
    np.testing.assert_allclose(folded, want, rtol=1e-3, atol=1e-3)
    assert np.abs(integers - want).max() < 0.2 * np.ptp(want)


def test_the_ratio_is_that_of_the_faster_float(monkeypatch):
    least = {name: Least(ms, 0.0) for name, ms in (("float32", 2.0), ("folded", 3.0), ("int8", 0.5))}
    monkeypatch.setattr(networks, "medians_ms", lambda calls, rounds: [4.0, 3.0, 1.5])
    monkeypatch.setattr(networks.metrics, "least_times", lambda calls, repeats: least)
    row = networks.measure(dict.fromkeys(least), np.zeros(1))
    times = {"float32 ms": 4.0, "folded ms": 3.0, "int8 ms": 1.5}
    assert row == {**times, "ratio": 2.0, "least ratio": 4.0}


def test_the_benchmark_prints_80_columns(monkeypatch):
    lines = []
    monkeypatch.setattr(networks, "three", lambda model, images: model)
    monkeypatch.setattr(
        networks,
        "measure",
        lambda each, x, rounds: dict.fromkeys(("float32 ms", "folded ms", "int8 ms", "ratio", "least ratio"), 999.5),
    )
    names = {name: (lambda: None, shape) for name, (_, shape) in networks.NETWORKS.items()}
    result = networks.run(names, say=lines.append)
    assert max(map(len, lines)) <= 80 and len(lines) == 2 + 2 * len(names)
    assert json.loads(json.dumps(result)) == result
