"""lightnn/bench/techniques.py on a few images: every technique has every measure, and what each should show."""

import json

import numba
import numpy as np
import pytest

from lightnn.bench import suite, techniques
from lightnn.kernels.parallel import get_num_threads
from lightnn.papers.lab import stage

IMAGES = 120
MEASURES = ["error %", "errors %", "training s", "file bytes", "gzip bytes", "held bytes", "MACs", "MACs without zeros"]
MEASURES += ["energy uJ", "training peak bytes", "latency ms", "ms an image in a batch"]


@pytest.fixture(scope="module")
def run():
    """(result, lines) of all techniques on 120 noise digits, one epoch each, two runs timed."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 160)
    x = ((rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((160, 1, 28, 28))).astype(np.float32)
    mnist, lines = stage.Images((x, y), (x[:20], y[:20]), (x[:40], y[:40])), []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "mnist", lambda: mnist)
        patch.setattr(techniques, "BATCH", 4)
        patch.setattr(techniques._times.__wrapped__, "__defaults__", (2,))
        result = techniques.run(lines.append, IMAGES, (1, 1), (0, 1))
    return result, lines


@pytest.mark.thorough
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")
class TestTheRun:
    def test_every_technique_has_every_measure(self, run):
        result, lines = run
        assert list(result["rows"]) == list(techniques.TECHNIQUES) == result["techniques"]
        assert all(list(row) == MEASURES for row in result["rows"].values())
        assert json.loads(json.dumps(result)) == result
        assert len(lines) == 3 * len(techniques.TECHNIQUES) and max(map(len, lines)) <= 80
        assert (result["threads"], result["images"], result["epochs"]) == (1, IMAGES, [1, 1])
        assert all(len(row["errors %"]) == 2 for row in result["rows"].values())

    def test_the_numbers_are_those_of_the_techniques(self, run):
        rows = run[0]["rows"]
        floats, trained = rows["float32"], rows["trained on"]
        assert floats["MACs"] == 2_293_000 and floats["training s"] == 0 < trained["training s"]
        assert [name for name, row in rows.items() if not row["training peak bytes"]] == ["int8"]
        assert all(r["latency ms"] > 0 and r["ms an image in a batch"] > 0 for r in rows.values())
        for what in ("file bytes", "held bytes", "MACs"):
            assert floats[what] == trained[what]
        for name in ("pruned", "shared", "pruned, shared", "half the filters", "int8", "binary filters"):
            assert rows[name]["file bytes"] < 0.3 * floats["file bytes"]
            assert rows[name]["held bytes"] < 0.3 * floats["held bytes"]
            assert rows[name]["energy uJ"] < floats["energy uJ"]
        assert rows["pruned, shared"]["file bytes"] < min(rows[n]["file bytes"] for n in ("pruned", "shared"))
        assert rows["pruned"]["MACs without zeros"] < 0.3 * rows["pruned"]["MACs"]
        assert rows["half the filters"]["training peak bytes"] < 0.5 * floats["training peak bytes"]


def test_a_technique_that_fails_leaves_the_threads_as_they_were(monkeypatch):
    before = get_num_threads()
    monkeypatch.setattr(techniques, "_measured", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        techniques.run()
    assert get_num_threads() == before


def test_it_is_a_family_of_its_own():
    assert "techniques" in suite.families() and techniques.SUITE.families == ("techniques",)
