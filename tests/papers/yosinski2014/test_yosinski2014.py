"""lightnn/papers/yosinski2014: what is kept and frozen, the classes' halves, few labels, and the tables."""

import json

import numba
import numpy as np
import pytest

from lightnn import data, metrics
from lightnn.journal import Interrupted, Journal
from lightnn.papers import yosinski2014 as yosinski
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.session import Session
from lightnn.papers.lab.stage import Images
from lightnn.papers.yosinski2014 import experiment, few, transfer

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training takes the compiler")
TINY = experiment.Subject(images=40, test=40, epochs=1, seeds=2, labels=(1, 2), steps=1)


@pytest.fixture
def run(images, tmp_path):
    x, y = images.x_train[:100], images.y_train[:100] % 5
    small = transfer.halved(x)
    three = Images((small, y), (small[:0], y[:0]), (small, y))
    return Experiment("yosinski2014", TINY, three, Session(Journal(tmp_path), progress=False, say=lambda line: None))


def without_lite0():
    raise ValueError("want the package that is not there")


@needs_compiler
@pytest.mark.thorough
def test_what_is_measured_and_that_an_interrupted_run_ends_the_same(images, monkeypatch, tmp_path):
    for name in ("load_mnist", "load_fashion_mnist"):
        monkeypatch.setattr(data, name, lambda: images)
    monkeypatch.setattr(experiment, "QUICK", TINY)
    monkeypatch.setattr(few, "efficientnet_lite0", without_lite0)

    def session(folder):
        return Session(Journal(tmp_path / folder), quick=True, progress=False, say=lambda line: None)

    result = yosinski.reproduce(session("a"))
    assert json.loads(json.dumps(result)) == result
    assert [len(result["halves"][name]["4"]) for name in ("BnB", "AnB+", "RnB")] == [2, 2, 2]
    assert result["few"]["lite0"] == {"left out": "want the package that is not there"}
    shown = yosinski.format_tables(result)
    assert max(map(len, shown.splitlines())) <= 80 and "EfficientNet-Lite0 left out: want the package" in shown
    train = transfer.train

    def fails(run, name, *rest, **more):
        if name.startswith("MnF, n = 2"):
            raise Interrupted("interrupted")
        return train(run, name, *rest, **more)

    monkeypatch.setattr(transfer, "train", fails)
    with pytest.raises(Interrupted):
        yosinski.reproduce(session("b"))
    monkeypatch.setattr(transfer, "train", train)
    assert {**yosinski.reproduce(session("b")), "seconds": 0} == {**result, "seconds": 0}


@pytest.mark.thorough
@needs_compiler
def test_frozen_layers_stay_and_the_others_learn(run, monkeypatch):
    base, trained = transfer.network(5, 0), []
    train = transfer.train

    def watched(run, name, model, *rest):
        train(run, name, model, *rest)
        trained.append(model)

    monkeypatch.setattr(transfer, "train", watched)
    before = base.state_dict()
    for frozen in (True, False):
        transfer.kept(run, f"frozen {frozen}", base, 2, run.images, frozen)
    assert all(np.array_equal(before[name], a) for name, a in base.state_dict().items()), (
        "the base itself never changes"
    )
    assert len(list(trained[0])) == 3 and len(list(trained[1])) == 5
    first = [next(iter(net))[0].weight.data for net in (base, trained[1])]
    assert not np.array_equal(*first), "fine-tuned layers change"


def test_halves_have_their_own_labels(run):
    few_classes = transfer.of_classes(run.images, np.array([3, 1]))
    x, y = few_classes.training
    old = run.images.training
    assert set(y) <= {0, 1}
    np.testing.assert_array_equal(x[y == 0], old[0][old[1] == 3])
    np.testing.assert_array_equal(x[y == 1], old[0][old[1] == 1])
    assert len(transfer.first(few_classes, 3).training[1]) == 3


def test_few_labels_are_as_many_of_each_class(run):
    labels = few.chosen(run.images, 5, 2).training[1]
    assert np.bincount(labels).max() <= 2


def test_the_network_and_its_images():
    assert metrics.count_parameters(transfer.network(10, 0)) == 160 + 2320 + 4640 + 288 * 64 + 64 + 650
    x = np.arange(784.0).reshape(1, 1, 28, 28)
    assert transfer.halved(x)[0, 0, 1, 2] == x[0, 0, 2:4, 4:6].mean()
