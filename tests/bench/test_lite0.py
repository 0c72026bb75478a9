"""lightnn/bench/lite0.py: every way runs, and every row of the paper's table has one."""

import json

import pytest

from lightnn import models
from lightnn.bench import lite0
from lightnn.study import result


def test_each_row_of_the_table_runs_in_one_of_the_ways():
    ways = {row: lite0.way_of(row) for row in result("lite0")["rows"]}
    assert set(ways.values()) == set(lite0.WAYS)
    assert ways["float32"] == ways["batch norms re-estimated"] == "float32"
    assert ways["pruned 50 %, batch norms"] == "pruned 50 %" and ways["6 bits shared"] == "shared"
    assert ways["pruned 50 %, batch norms, 8 bits"] == ways["4 bits, balanced"] == "integers"


@pytest.mark.thorough
@pytest.mark.compiled
def test_every_way_is_timed(monkeypatch):
    monkeypatch.setattr(lite0, "efficientnet_lite0", lambda: models.efficientnet_lite0(rng=0).eval())
    lines = []
    found = lite0.run(lines.append, (1, 3, 32, 32), 1)
    assert list(found["ms"]) == list(lite0.WAYS) and all(ms > 0 for ms in found["ms"].values())
    assert max(map(len, lines)) <= 80 and json.loads(json.dumps(found)) == found
