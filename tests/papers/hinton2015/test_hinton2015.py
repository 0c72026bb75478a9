"""lightnn/papers/hinton2015: the networks, max-norm, the offset of biases, and the tables."""

import json

import numba
import numpy as np
import pytest

from lightnn import Tensor, data, metrics, nn
from lightnn.journal import Interrupted, Journal
from lightnn.papers import hinton2015 as hinton
from lightnn.papers.hinton2015 import experiment, tables
from lightnn.papers.lab.session import Session

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training takes the compiler")
TINY = experiment.Subject(1, 1, 1, 400, 24, (20, 8), (2.0, 20.0))


def small(patch, images):
    patch.setattr(data, "load_mnist", lambda: images)
    patch.setattr(experiment, "VALIDATION", 200)
    patch.setattr(experiment, "QUICK", TINY)


def run_once(journal):
    return hinton.reproduce(Session(journal, seed=1, quick=True, progress=False, say=lambda line: None))


@needs_compiler
def test_what_is_measured_and_printed(run):
    journal, result = run
    assert json.loads(json.dumps(result)) == result
    assert list(result["sweep"]) == ["20", "8"] and list(result["sweep"]["8"]) == ["alone", "2", "20"]
    for name in ("without threes", "sevens and eights"):
        row = result[name]
        assert row["test errors corrected"] <= 10_000 and 0 <= row["offset"] <= 15
        assert row["threes"]["errors corrected"] <= row["threes"]["number"]
    assert result["without threes"]["threes"]["errors corrected"] <= result["without threes"]["threes"]["errors"]
    assert max(map(len, hinton.format_tables(result).splitlines())) <= 80
    assert set(tables.errors(result)) == set(tables.PAPER) >= set(tables.AIMS)


@needs_compiler
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    train = experiment._train

    def fails(run, name, *rest):
        if name.startswith("8 units"):
            raise Interrupted("interrupted in '8 units'")
        return train(run, name, *rest)

    monkeypatch.setattr(experiment, "_train", fails)
    with pytest.raises(Interrupted, match="8 units"):
        run_once(Journal(tmp_path))
    monkeypatch.setattr(experiment, "_train", train)
    assert {**run_once(Journal(tmp_path)), "seconds": 0} == {**run[1], "seconds": 0}


def test_the_networks_have_the_papers_sizes():
    assert metrics.count_parameters(experiment.mlp(800)) == 784 * 800 + 800 + 800 * 800 + 800 + 8010
    teacher = experiment.mlp(1200, 0, (0.2, 0.5))
    assert [m.p for m in teacher.modules() if isinstance(m, nn.Dropout)] == [0.2, 0.5, 0.5]
    assert experiment.mlp(5, 0).eval()(Tensor(np.zeros((2, 1, 28, 28), np.float32))).shape == (2, 10)


def test_norms_are_bounded(rng):
    model = experiment.mlp(6, rng)
    for p in model.parameters():
        p.data = rng.standard_normal(p.shape).astype(np.float32)
    first, last = model[1].weight.data.copy(), model[-1].weight.data.copy()
    most = float(np.median(np.linalg.norm(first, axis=1)))
    experiment.bound_norms(model, most)
    norms = np.linalg.norm(model[1].weight.data, axis=1)
    assert norms.max() <= most * (1 + 1e-6) and (norms == np.linalg.norm(first, axis=1)).sum() == 3
    np.testing.assert_allclose(
        model[1].weight.data / norms[:, None], first / np.linalg.norm(first, axis=1)[:, None], rtol=1e-5
    )
    np.testing.assert_array_equal(model[-1].weight.data, last)


def test_the_offset_with_the_fewest_errors():
    v = np.array([[2.0, 0, 0], [0, 2, 0], [3, 0, 1], [0, 4, 1]])
    y = np.array([0, 1, 2, 2])  # class 2 is never chosen: 2.05 puts one right, 3.05 both, and the others wrong
    assert hinton.best_offset(v, y, [2], np.array([0, 1.5, 2.05, 3.05])) == 0
    assert hinton.best_offset(v, y, [2], np.array([0, 1.95, 2.05, 1.96])) == 0
    v[:2] *= 10
    assert hinton.best_offset(v, y, [2], np.array([0, 1.5, 2.05, 3.05, 4])) == 3.05
    assert hinton.best_offset(v, y, [0, 1], np.array([0, -1.5, -3.05])) == -3.05
