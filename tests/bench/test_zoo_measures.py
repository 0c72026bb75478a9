"""lightnn/bench/zoo_measures.py: every network is measured once, at its own size; the record knows those of today."""

import json

import pytest

from lightnn.bench import zoo_measures
from lightnn.files import ROOT
from lightnn.reporting.published import NETWORKS, Published


@pytest.mark.thorough
def test_a_small_network_is_measured_and_said(monkeypatch):
    monkeypatch.setattr(zoo_measures, "NETWORKS", {"shufflenet_v2_x0_5": Published(2018, "halves", 60.5, 64)})
    lines = []
    (row,) = zoo_measures.run(lines.append)["networks"].values()
    assert 0 < row["least ms"] <= row["latency ms"] and row["ms an image in a batch"] > 0
    assert row["held bytes"] > 4 * 1_300_000 and row["training bytes, measured"] > 2 * row["held bytes"]
    assert len(lines) == 1 and lines[0].startswith("shufflenet_v2_x0_5") and lines[0].endswith("MB to train")


def test_the_record_has_the_networks_of_today():
    record = json.loads((ROOT / "chapters" / "results" / "zoo_measures.json").read_text())
    assert list(record["networks"]) == list(NETWORKS)
