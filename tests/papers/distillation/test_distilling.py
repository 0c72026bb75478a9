"""lightnn/papers/distillation: the rows, the shuffled teacher, and the tables."""

import json

import numba
import numpy as np
import pytest

from lightnn import data, nn
from lightnn.journal import Interrupted, Journal
from lightnn.papers import distillation
from lightnn.papers.distillation import controls, experiment, features, students
from lightnn.papers.lab.session import Session
from lightnn.tensor import Tensor
from lightnn.training import Remembered, attention_loss

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training takes the compiler")
TINY = experiment.Subject(60, 2, (1, 2), 10, 8, 1, 1, 1)


def without_times(result):
    """Milliseconds differ from run to run."""
    rows = {size: {**row, "ms": 0, "student": {**row["student"], "ms": 0}} for size, row in result["ensembles"].items()}
    return {**result, "ensembles": rows, "seconds": 0}


@needs_compiler
@pytest.mark.thorough
def test_what_is_measured_and_that_an_interrupted_run_ends_the_same(images, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "load_mnist", lambda: images)
    monkeypatch.setattr(experiment, "QUICK", TINY)
    monkeypatch.setattr(experiment.stage.split, "__defaults__", (100,))

    def session(folder):
        return Session(Journal(tmp_path / folder), quick=True, progress=False, say=lambda line: None)

    result = distillation.reproduce(session("a"))
    assert json.loads(json.dumps(result)) == result
    assert list(result["ensembles"]) == ["1", "2"] and len(result["controls"]["soft targets"]["test errors"]) == 2
    assert result["ensembles"]["2"]["bytes"] > 1.9 * result["ensembles"]["1"]["bytes"]
    assert result["features"]["hint"]["weight"] in features.WEIGHTS["hint"]
    assert max(map(len, distillation.format_tables(result).splitlines())) <= 80
    trained = students.trained

    def fails(run, name, *rest):
        if name == "soft targets":
            raise Interrupted("interrupted")
        return trained(run, name, *rest)

    monkeypatch.setattr(students, "trained", fails)
    with pytest.raises(Interrupted):
        distillation.reproduce(session("b"))
    monkeypatch.setattr(students, "trained", trained)
    again = distillation.reproduce(session("b"))
    assert without_times(again) == without_times(result)


def test_a_shuffled_teacher_is_as_sure_and_says_nothing_else(rng):
    x = rng.standard_normal((40, 6)).astype(np.float32)
    known = Remembered(nn.Linear(6, 5, rng=0), x)
    twin = controls.shuffled(known, rng)
    v, w = known.answers, twin.answers
    np.testing.assert_array_equal(v.argmax(1), w.argmax(1))
    np.testing.assert_array_equal(np.sort(v, 1), np.sort(w, 1))
    assert (v != w).any(1).mean() > 0.8
    np.testing.assert_array_equal(twin(Tensor(x[3:5])).data, w[3:5])


def test_the_regressor_is_trained_and_the_students_features_come_before_it(rng):
    student = features.convolutional((2, 3, 4), rng)
    x = Tensor(rng.standard_normal((2, 1, 28, 28)).astype(np.float32))
    net = features.WithRegressor(student, nn.Conv2d(3, 7, 1, rng=0), lambda x: None, attention_loss, 1.0)
    outputs, maps = net.of(student, x)
    assert outputs.shape == (2, 10) and maps.shape == (2, 7, 4, 4)
    assert {"r.weight", "r.bias"} <= dict(net.named_parameters()).keys()
    np.testing.assert_array_equal(outputs.data, student(x).data)
