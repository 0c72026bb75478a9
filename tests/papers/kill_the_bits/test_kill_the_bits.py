"""lightnn/papers/kill_the_bits: the paper's sizes, what is trained when, and the tables."""

import json

import numba
import numpy as np
import pytest

from lightnn import compress, data, nn
from lightnn.journal import Interrupted, Journal
from lightnn.papers import kill_the_bits as killing
from lightnn.papers.kill_the_bits import experiment, tables
from lightnn.papers.lab import centroids, stage
from lightnn.papers.lab.session import Session

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")
TINY = experiment.Subject(1, 200, 100, 1, 200, 20, 2)


def small(patch, images):
    patch.setattr(data, "load_fashion_mnist", lambda: images)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(experiment, "QUICK", TINY)
    patch.setattr(experiment, "WAYS", {name: killing.WAYS[name] for name in ("256 centroids", "64, plain")})
    patch.setattr(experiment, "UNTUNED", {"16 centroids": killing.UNTUNED["16 centroids"]})


def run_once(journal):
    return killing.reproduce(Session(journal, seed=1, quick=True, progress=False, say=lambda line: None))


@pytest.mark.thorough
@pytest.mark.parametrize("row", tables.PAPER, ids=lambda row: f"{row[0]} {row[1]}")
def test_the_papers_sizes_come_out_to_the_digit(row):
    name, kernels, pointwise, fc, size, *_ = row
    assert round(tables.size_bytes(name, kernels, pointwise, fc) / tables.MEGABYTE, 2) == size


def test_only_what_is_not_frozen_learns(rng):
    model, teacher = (nn.Sequential(nn.Linear(8, 16, rng=i), nn.ReLU(), nn.Linear(16, 3, rng=i)) for i in (1, 2))
    for layer in (model[0], model[2]):
        compress.product_quantize(layer.weight, 2, 4)
    x, own = rng.standard_normal((10, 8)).astype(np.float32), [model[0].weight, model[0].weight.values.codebook]
    before = [p.data.copy() for p in model.parameters()]
    with centroids.only(model, own):
        recipe = centroids.for_centroids(teacher, 1, 0.1, 5)
        optimizer = recipe.optimizer(model.parameters(), lr=0.1)
        recipe.outputs_and_loss(model, x, np.zeros(10, int))[1].backward()
        optimizer.step()
    assert all(p.requires_grad for p in model.parameters())
    moved = [not np.array_equal(a, p.data) for a, p in zip(before, model.parameters(), strict=True)]
    assert [p is own[1] for p in model.parameters()] == moved


@needs_compiler
@pytest.mark.thorough
def test_what_is_measured(run, monkeypatch):
    journal, result = run
    assert json.loads(json.dumps(result)) == result and result["images"] == 200
    ways = result["ways"]
    assert list(ways) == ["float control", "256 centroids", "64, plain"]
    assert ways["64, plain"]["bytes"] < ways["256 centroids"]["bytes"] < result["teacher"]["bytes"] / 15
    assert 0 < ways["64, plain"]["bits a weight"] < ways["256 centroids"]["bits a weight"] < 2
    untuned = result["untuned"]["16 centroids"]
    assert untuned["bits a weight"] < ways["64, plain"]["bits a weight"] and len(tables.gain(untuned)) == 2
    assert all(size < ways["64, plain"]["bytes"] for what in ("weighted", "plain") for size in untuned[what]["bytes"])
    monkeypatch.setattr(tables, "size_bytes", lambda *args: 1e6)
    assert max(map(len, killing.format_tables(result).splitlines())) <= 80


@needs_compiler
@pytest.mark.thorough
def test_codes_stay_and_only_centroids_and_norms_are_trained(run):
    journal, _ = run
    names = ("teacher", "256 centroids", "16 centroids, plain, start 1")
    teacher, tuned, kept = (journal.network(name, None)[0] for name in names)
    own, ours = dict(teacher.named_modules()), dict(tuned.named_modules())
    sizes = compress.block_sizes(teacher)
    assert len(sizes) == 7
    for path in sizes:
        assert isinstance(ours[path].weight.values, compress.Product)
        np.testing.assert_array_equal(dict(kept.named_modules())[path].weight().data.shape, own[path].weight.data.shape)
    np.testing.assert_array_equal(dict(kept.named_modules())["1.bn1"].weight.data, own["1.bn1"].weight.data)
    assert (ours["1.bn1"].weight.data != own["1.bn1"].weight.data).any()
    assert all(p.requires_grad for p in tuned.parameters())


@needs_compiler
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    one = experiment._one

    def fails(run, name, *rest):
        if name == "64, plain":
            raise Interrupted("interrupted in '64'")
        return one(run, name, *rest)

    monkeypatch.setattr(experiment, "_one", fails)
    with pytest.raises(Interrupted, match="64"):
        run_once(Journal(tmp_path))
    monkeypatch.setattr(experiment, "_one", one)
    assert {**run_once(Journal(tmp_path)), "seconds": 0} == {**run[1], "seconds": 0}
