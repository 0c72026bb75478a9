"""lightnn/papers/lite0: folds, the balancing of channels, and the experiment on a small network."""

import importlib.util
import json

import numpy as np
import pytest

from lightnn import compress, models, nn, predict
from lightnn.journal import Interrupted, Journal
from lightnn.papers import lite0
from lightnn.papers.lab import photographs
from lightnn.papers.lab.session import Session
from lightnn.papers.lite0 import balancing, experiment, tables

needs_photos = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("PIL", "skimage")),
    reason="the group photos is not installed: pip install -e .[photos]",
)


def test_every_photograph_is_tested_once_and_a_pair_together():
    folds = {name: photographs.fold_of(name) for name in photographs.PHOTOGRAPHS}
    assert set(folds.values()) == {0, 1, 2} and folds["motorcycle_left"] == folds["motorcycle_right"]
    assert all(5 <= list(folds.values()).count(k) <= 7 for k in range(3))


@needs_photos
def test_calibration_never_sees_a_photograph_that_is_tested(monkeypatch):
    number = {name: i for i, name in enumerate(photographs.PHOTOGRAPHS)}
    monkeypatch.setattr(photographs, "crops", lambda name, count, rng: [np.array([number[name]])] * count)
    for k, fold in enumerate(photographs.folds(0, 2, 3)):
        tested = {number[name] for name in fold.names}
        assert set(fold.test.ravel()) == tested and not tested & set(fold.calibration.ravel())
        assert len(fold.test) == len(fold.names) == 3 * len(tested)
        assert all(photographs.fold_of(name) == k for name in fold.names)


@needs_photos
def test_crops_are_drawn_by_their_seed(rng):
    a, b = (photographs.crops("coffee", 2, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert a[0].shape == (3, 224, 224) and np.abs(a[0] - a[1]).max() > 0.1


def small_net():
    """A small Lite network of unequal channels, with batch norms that say something."""
    model, rng = models.efficientnet_lite(0.2, 0.5, num_classes=10, rng=0), np.random.default_rng(0)
    for m in model.modules():
        if isinstance(m, nn.BatchNorm2d):
            m.weight.data = np.exp(rng.standard_normal(m.weight.shape)).astype(np.float32)
            m.bias.data = rng.standard_normal(m.bias.shape).astype(np.float32)
    return model.eval()


@pytest.mark.compiled
@pytest.mark.thorough
def test_a_balanced_network_computes_the_same_with_channels_more_alike(rng):
    x = rng.standard_normal((4, 3, 32, 32)).astype(np.float32)
    model = compress.fold_batch_norm(small_net(), (1, 3, 32, 32))
    even = balancing.balanced(model, x)
    y = predict(model, x)
    np.testing.assert_allclose(predict(even, x), y, rtol=1e-3, atol=1e-4 * np.abs(y).max())
    for producers, readers, blocks in balancing.streams(model):
        assert len(producers) == len(readers) == len(blocks)
        before, after = (np.max([balancing.largest(m, blocks, x)[b] for b in blocks], 0) for m in (model, even))
        assert after.max() / after[after > 0].min() < before.max() / before[before > 0].min()


def row(**changes):
    numbers = {"bytes": 4_400_000, "packed bytes": 4_700_000, "top-1 %": 95.37, "top-5 %": 100.0, "KL": 0.01234}
    return {**numbers, "sure %": 99.1, "by photograph": dict.fromkeys(photographs.PHOTOGRAPHS, 95.0), **changes}


def test_the_table_fits_80_columns_and_says_whether_the_aims_are_met():
    names = ["float32", "8 bits, min-max", "8 bits, balanced", "pruned 50 %, batch norms, 8 bits"]
    result = {"parameters": 4_652_008, "crops": 216, "photographs": 18, "rows": {name: row() for name in names}}
    text = tables.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80, text
    assert "95.37 %  yes" in text and "4,400,000  yes" in text
    assert "94.00 %  no" in tables.aims({tables.AIMED: row(**{"top-1 %": 94.0})})


def test_a_row_is_made_of_all_crops():
    parts = [
        {"bytes": b, "packed bytes": b, "top-1": t, "top-5": [1.0] * 2, "KL": [0.1, 0.3]}
        for b, t in ((5, [1, 0]), (6, [1, 1]))
    ]
    found = experiment.joined(parts, ["a", "b", "c", "a"], np.array([True, False, True, False]))
    assert found["bytes"] == 5 and found["top-1 %"] == 75.0 and found["sure %"] == 100.0 and found["KL"] == 0.2
    assert found["by photograph"] == {"a": 100.0, "b": 0.0, "c": 100.0}


@pytest.fixture
def tiny(monkeypatch):
    """The experiment with a small network and small images."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((6, 3, 32, 32)).astype(np.float32)
    folds = [photographs.Fold(x[:4], x[4:], ("a", "b"))]
    monkeypatch.setattr(experiment, "folds", lambda *arguments: folds)
    monkeypatch.setattr(experiment, "efficientnet_lite0", small_net)
    monkeypatch.setattr(experiment, "SHAPE", (1, 3, 32, 32))


@pytest.mark.compiled
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(tiny, tmp_path, monkeypatch):
    def run(folder):
        return lite0.reproduce(Session(Journal(tmp_path / folder), quick=True, say=lambda line: None))

    whole, shared = run("whole"), compress.share
    assert json.loads(json.dumps(whole)) == whole
    assert whole["rows"]["float32"]["top-1 %"] == 100 and whole["crops"] == 2
    assert whole["rows"]["8 bits, balanced"]["bytes"] < whole["rows"]["float32"]["bytes"] / 2

    def fails(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(compress, "share", fails)
    with pytest.raises(Interrupted, match="6 bits shared"):
        run("cut")
    monkeypatch.setattr(compress, "share", shared)
    assert {**run("cut"), "seconds": 0} == {**whole, "seconds": 0}
