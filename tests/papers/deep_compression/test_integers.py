"""lightnn/papers/deep_compression/integers.py: a network in integers on a few images, and its file."""

import dataclasses
import functools
import json
import os

import numpy as np
import pytest

from lightnn import Tensor, data, load, nn
from lightnn.__main__ import main
from lightnn.journal import Journal
from lightnn.papers.deep_compression.experiment import SUBJECTS, Pipeline, tuning
from lightnn.papers.deep_compression.integers import Integers, OneBit, quantize_network
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session


def still(recipe):
    return dataclasses.replace(recipe, augment=functools.partial(stage.jitter, max_shift=0))


PIPELINE = Pipeline(still(stage.recipe(1, 0.1)), (0.3,), (still(stage.recipe(1, 0.05)),), (4,) * 4, still(tuning(1)))


@pytest.fixture(scope="module")
def images(patterns):
    return patterns(5600, 200)


@pytest.fixture(autouse=True)
def mnist(monkeypatch, images, tmp_path):
    monkeypatch.setattr(data, "load_mnist", lambda: images)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *args, **options: str(tmp_path / "cache"))
    quick = dataclasses.replace(SUBJECTS["lenet_300_100"], quick=PIPELINE)
    monkeypatch.setitem(SUBJECTS, "lenet_300_100", quick)


def run(path, integers, folder):
    session = Session(Journal(folder), progress=False, say=lambda text: None)
    return quantize_network("lenet_300_100", path, PIPELINE, integers, session)


@pytest.mark.parametrize(
    "integers, bits, most_bytes",
    [
        (Integers(3), {3}, 102_000),
        pytest.param(Integers(), {8}, 272_000, marks=pytest.mark.thorough),
        pytest.param(Integers(8, 100_000), None, 100_000, marks=pytest.mark.thorough),
        pytest.param(OneBit(), {1}, 37_000, marks=pytest.mark.thorough),
    ],
)
def test_it_is_small_and_as_good(integers, bits, most_bytes, tmp_path, images):
    path = str(tmp_path / "a.lnn")
    result = run(path, integers, tmp_path / "journal")
    assert result["size_bytes"] == os.path.getsize(path) <= most_bytes < result["float_bytes"] / 3
    assert result["integer error %"] <= result["reference error %"] + 2
    assert (set(result["bits"].values()) == bits) if bits else len(set(result["bits"].values())) > 1
    again = run(str(tmp_path / "b.lnn"), integers, tmp_path / "journal")  # all from the journal
    assert {**again, "seconds": 0} == {**result, "seconds": 0}
    model = load(path)
    assert any(isinstance(m, nn.FakeQuantize) for m in model.modules()) == (bits != {1})
    np.testing.assert_array_equal(
        model(Tensor(images.x_test)).data, load(tmp_path / "b.lnn")(Tensor(images.x_test)).data
    )


@pytest.mark.thorough
def test_the_command_writes_the_file_and_the_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["compress", "lenet_300_100", "--quick", "--int8", "-o", "a.lnn", "--json", "a.json", "--seed", "3"]
    assert main(arguments) == 0
    out, record = capsys.readouterr().out, json.loads((tmp_path / "a.json").read_text())
    assert record["integers"] == "8 bits" and record["seed"] == 3 and record["size_bytes"] == os.path.getsize("a.lnn")
    assert f"{record['size_bytes']:,}" in out and "as floats" in out and "inspect a.lnn" in out
    assert main([*arguments[:3], "--binary", "-o", "c.lnn", "--seed", "3"]) == 0
    assert "1 bit" in capsys.readouterr().out and {1, -1} == set(np.sign(load("c.lnn").fc1.weight().data).ravel())
    assert main([*arguments[:3], "--mixed", "1000", "-o", "b.lnn", "--seed", "3"]) == 2
    error = capsys.readouterr().err
    assert "mixed_bits: want budget_bytes >= " in error and not (tmp_path / "b.lnn").exists()
