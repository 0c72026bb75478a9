"""lightnn/search/latency.py: interpolation by hand, sums over layers, files of another machine. No time is asserted."""

import json

import numpy as np
import pytest

from lightnn import nn
from lightnn.search import Blocks, LatencyTable, interpolate, latency, measure_latencies, table_error


def test_interpolation_by_hand():
    ms = [[1.0, 3.0], [5.0, 9.0]]
    assert interpolate([8, 16], [10, 20], ms, 8, 20) == 3.0
    assert interpolate([8, 16], [10, 20], ms, 12, 10) == 3.0  # halfway from 1 to 5
    assert interpolate([8, 16], [10, 20], ms, 12, 15) == 4.5  # halfway from 2 to 7
    assert interpolate([8, 16], [10, 20], ms, 1, 10) == 1.0  # below the smallest sample
    assert interpolate([8, 16], [8, 16], [[2.0, 4.0]], 12, 12) == 3.0  # a depthwise layer has one axis


def a_table(tiny):
    kinds = {
        "first": {"c_in": [1], "c_out": [4, 8], "ms": [[1.0, 2.0]]},
        "deep": {"c_in": [4, 8], "c_out": [4, 8], "ms": [[10.0, 20.0]]},
        "pointwise": {"c_in": [4, 8], "c_out": [8, 16], "ms": [[100.0, 200.0], [300.0, 400.0]]},
        "classes": {"c_in": [32, 64], "c_out": [4], "ms": [[1000.0], [2000.0]]},
    }
    return LatencyTable({"0": "first", "3": "deep", "6": "pointwise", "10": "classes"}, 0.5, kinds, 1.0)


def test_a_networks_latency_is_the_sum_of_its_layers(tiny, shape):
    table, blocks = a_table(tiny), Blocks(tiny(), shape)
    assert table.predict(blocks, {"0": 8, "6": 16}) == 2 + 20 + 400 + 2000 + 0.5
    assert table.predict(blocks, {"0": 4, "6": 8}) == 1 + 10 + 100 + 1000 + 0.5
    assert table.predict(blocks, {"0": 6, "6": 16}) == 1.5 + 15 + 300 + 2000 + 0.5
    table.scale = 2.0  # the rest stays as it is
    assert table.predict(blocks, {"0": 4, "6": 8}) == 2 * (1 + 10 + 100 + 1000) + 0.5
    with pytest.raises(ValueError, match="c_out of pointwise: want an int from 1 to 16, got 17"):
        table.layer_ms("pointwise", 8, 17)
    with pytest.raises(ValueError, match="kind of layer: want first or deep"):
        table.layer_ms("third", 8, 17)
    assert "pointwise" in str(table) and repr(table) == "LatencyTable(4 layers of 4 kinds)"


def test_a_saved_table_reads_back(tiny, tmp_path):
    a_table(tiny).save(tmp_path / "a.json")
    assert vars(LatencyTable.load(tmp_path / "a.json")) == vars(a_table(tiny))


@pytest.mark.parametrize(("key", "value"), [("processor", "another"), ("threads", 99), ("source", "0" * 64)])
def test_a_table_of_another_machine_or_version_is_refused(tiny, tmp_path, monkeypatch, key, value):
    there = {**latency.here(), key: value}
    with monkeypatch.context() as patch:
        patch.setattr(latency, "here", lambda: there)
        a_table(tiny).save(tmp_path / "a.json")
    with pytest.raises(ValueError, match=f"a.json is of another machine or version: want {key} .*, got {value}"):
        LatencyTable.load(tmp_path / "a.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("here"),
        lambda d: d.update(rest_ms="much"),
        lambda d: d.pop("scale"),
        lambda d: d["kinds"]["deep"].update(ms=[[1.0]]),
        lambda d: d["kinds"]["deep"].update(ms=[[1.0, float("nan")]]),
        lambda d: d["kinds"]["deep"].update(c_in=[8, 4]),
        lambda d: d["kinds"]["deep"].update(c_out=[-1, 4]),
        lambda d: d.update(kinds=[]),
    ],
)
def test_what_is_no_table_is_refused(tiny, tmp_path, change):
    path = tmp_path / "a.json"
    a_table(tiny).save(path)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(ValueError, match=r"a\.json is no table of latencies"):
        LatencyTable.load(path)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"a\.json is no table of latencies"):
        LatencyTable.load(path)


@pytest.mark.compiled
def test_every_layer_is_measured_at_its_channels(tiny, shape):
    model = tiny().eval()
    table = measure_latencies(model, shape, repeats=5, progress=False)
    assert list(table.layers) == ["0", "3", "6", "10"]
    assert table.layers["0"] == "conv2d 3x3 1x1 1x1 1x1 on 1x8x8"
    assert table.layers["3"].startswith("depthwise") and table.layers["10"] == "linear of 1"
    first, deep, classes = (table.kinds[table.layers[k]] for k in ("0", "3", "10"))
    assert (first["c_in"], first["c_out"], np.shape(deep["ms"])) == ([1], [8], (1, 1)) and classes["c_out"] == [4]
    assert all(np.min(entry["ms"]) > 0 for entry in table.kinds.values()) and table.rest_ms > 0
    assert table.scale > 0
    blocks = Blocks(model, shape)
    error = table_error(table, model, [blocks.widths], shape)
    assert error["predicted ms"] == [round(table.predict(blocks, blocks.widths), 4)] and error["measured ms"][0] > 0


def test_grouped_convolutions_are_refused():
    with pytest.raises(ValueError, match="want convolutions that are dense or depthwise, got 2 groups"):
        latency.kind_of(nn.Conv2d(4, 4, 3, groups=2), (1, 4, 8, 8))
