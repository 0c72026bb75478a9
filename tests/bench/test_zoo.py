"""lightnn/bench/zoo.py: what is counted is what is committed, and the accuracies are torchvision's."""

import json
import pathlib

import pytest

import lightnn
from lightnn import metrics, models
from lightnn.bench import zoo
from lightnn.nn.sketch import shapes_only
from lightnn.reporting.published import Published

COMMITTED = pathlib.Path(lightnn.__file__).parent.parent / "chapters" / "results" / "zoo_counts.json"


def sketched(name):
    with shapes_only(10**6):
        return getattr(models, name)(**({"aux_logits": False} if name == "googlenet" else {}))


def test_the_committed_counts_are_todays():
    record = json.loads(COMMITTED.read_text())
    assert record["source"] == zoo.SOURCE and list(record["networks"]) == list(zoo.NETWORKS)
    for name, row in record["networks"].items():
        known = zoo.NETWORKS[name]
        assert (row["year"], row["known for"], row["accuracy %"], row["size"]) == known
        assert row["parameters"] == metrics.count_parameters(sketched(name))


@pytest.mark.thorough
def test_a_run_counts_and_says_what_it_counts(monkeypatch):
    monkeypatch.setattr(zoo, "NETWORKS", {"shufflenet_v2_x0_5": Published(2018, "halves", 60.5, 32)})
    lines = []
    result = zoo.run(lines.append)
    row = result["networks"]["shufflenet_v2_x0_5"]
    assert row["parameters"] == 1_366_792 and row["size"] == 32 and result["source"] == zoo.SOURCE
    assert row["macs"] == metrics.count_macs(models.shufflenet_v2_x0_5(), (1, 3, 32, 32))
    assert len(lines) == 1 and "1,366,792 parameters" in lines[0] and lines[0].endswith("60.50 %")


@pytest.mark.oracle
def test_accuracies_are_those_that_torchvision_states(torchvision):
    for name, known in zoo.NETWORKS.items():
        meta = torchvision.models.get_model_weights(name).IMAGENET1K_V1.meta
        assert meta["_metrics"]["ImageNet-1K"]["acc@1"] == known.accuracy
        assert meta["num_params"] == metrics.count_parameters(sketched(name))
