"""lightnn/bench/inference.py: all libraries compute the same network; the committed ratios are those of its times."""

import json
import math
import pathlib

import numba
import numpy as np
import pytest

import lightnn
from lightnn import models
from lightnn.bench import inference, opponents

COMMITTED = pathlib.Path(lightnn.__file__).parent.parent / "chapters" / "results" / "inference_bench.json"


def test_the_committed_ratios_are_those_of_its_times():
    record = json.loads(COMMITTED.read_text())
    assert tuple(record["networks"]) == inference.NETWORKS and record["aims"] == inference.AIMS
    assert set(record["training"]) == set(opponents.TRAINED) and len(record["linear"]) == len(inference.LINEAR)
    for other, found in record["means"].items():
        ratios = [row[f"{other} ms"] / row["lightnn ms"] for row in record["networks"].values()]
        assert math.isclose(found["mean"], math.prod(ratios) ** (1 / len(ratios)))
        assert math.isclose(found["least"], min(ratios))


def test_the_benchmark_prints_what_it_measures(monkeypatch):
    row = {f"{library} {unit}": 2.0 for library in opponents.LIBRARIES for unit in ("ms", "MB")}
    row |= {f"ratio to {library}": 0.5 for library in opponents.LIBRARIES[1:]}
    monkeypatch.setattr(inference, "installed", lambda: list(opponents.LIBRARIES))
    monkeypatch.setattr(inference, "measure", lambda *_: row)
    monkeypatch.setattr(inference, "linear", lambda *_: {"lightnn us": 1.0, "NumPy us": 2.0, "ratio to NumPy": 2.0})
    monkeypatch.setattr(inference, "after_numpy", lambda: {"asleep": {"alone": 1.0, "after": 1.0}})
    lines = []
    result = inference.run(say=lines.append)
    assert result["means"]["PyTorch"] == {"mean": pytest.approx(0.5), "least": 0.5}
    assert json.loads(json.dumps(result)) == result and sum("ratio 2.00" in line for line in lines) == 3


@pytest.mark.oracle
@pytest.mark.parametrize("name", ["squeezenet1_1", "shufflenet_v2_x0_5", "efficientnet_lite0", "resnet18"])
def test_pytorch_runs_the_same_network(name, torch):
    if numba.config.DISABLE_JIT:
        pytest.skip("whole networks take the compiler")
    model = getattr(models, name)(num_classes=7, rng=0).eval()
    x = np.random.default_rng(0).standard_normal((1, 3, 64, 64), np.float32)
    run, _ = opponents.torch_network(model, x.shape)
    with torch.inference_mode():
        got = run(torch.from_numpy(x)).numpy()
    want = model(lightnn.Tensor(x)).data
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-4 * np.abs(want).max())


@pytest.mark.thorough
@pytest.mark.oracle
@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="whole networks take the compiler")
def test_each_library_in_a_process_of_its_own(torch):
    pytest.importorskip("onnxruntime")
    row = inference.measure("shufflenet_v2_x0_5", inference.installed(), (1, 3, 64, 64), rounds=1, seconds=0.01)
    assert all(row[f"{library} ms"] > 0 for library in opponents.LIBRARIES)
    row = inference.measure("small ResNet", ["lightnn", "PyTorch"], (8, 3, 32, 32), rounds=1, seconds=0.01)
    assert row["ratio to PyTorch"] == row["PyTorch ms"] / row["lightnn ms"]
