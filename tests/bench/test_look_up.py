"""lightnn/bench/look_up.py: both sides compute the same, the formula's parts, and the table fits the screen."""

import numpy as np
import pytest

from lightnn.bench import look_up


def test_both_sides_compute_the_same():
    ours, dense = look_up.layer(40, 24, 8, 4)
    np.testing.assert_allclose(ours()[0], dense(), atol=1e-4)


def test_what_the_formula_counts():
    row = look_up.costs(1000, 1280, 256, 4)
    assert (row["dense MACs"], row["table MACs"], row["entries"]) == (1_280_000, 327_680, 320_000)
    assert (row["dense bytes"], row["table bytes"]) == (5_120_000, 320_000 + 4096)
    assert row["predicted"] == pytest.approx(5_120_000 / 16 / (327_680 / 16 + 320_000 / 2))
    assert look_up.costs(500, 800, 256, 4)["predicted"] < 1 < look_up.costs(4096, 4096, 16, 4)["predicted"]
    assert look_up.costs(1000, 512, 2048, 4)["table bytes"] == 2 * 128_000 + 4 * 2048 * 4


def test_the_benchmark_runs_and_fits_the_screen():
    lines = []
    result = look_up.run({"small": (40, 24, 8, 4), "large": (1000, 1280, 16, 8)}, rounds=1, say=lines.append)
    assert max(map(len, "\n".join(lines).splitlines())) <= 80
    assert result["least where sure"] == result["layers"]["large"]["ratio"] > 0
    assert look_up.run({"small": (40, 24, 8, 4)}, 1, lines.append)["least where sure"] is None
