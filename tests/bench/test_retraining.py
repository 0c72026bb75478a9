"""lightnn/bench/retraining.py on a few images: equal epochs for all, and the density that each network should have."""

import json

import numpy as np
import pytest

from lightnn.bench import retraining
from lightnn.compress import density
from lightnn.data import Dataset
from lightnn.papers.han2015.curves import layer_fractions
from lightnn.papers.lab import stage


@pytest.fixture(scope="module")
def trials():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 1000)
    x = ((rng.random((10, 1, 28, 28)) < 0.2)[y] * rng.random((1000, 1, 28, 28))).astype(np.float32)
    images = Dataset(x[:800], y[:800], x[800:], y[800:])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage.split, "__defaults__", (200,))
        patch.setattr(stage.data, "load_mnist", lambda: images)
        patch.setattr(stage.data, "random_shift", lambda x, *args, **options: x)
        patch.setattr(retraining, "BATCHES", 1)
        yield retraining.Trials(stage.mnist(), seed=1, epochs=2, first_epochs=1)


@pytest.mark.parametrize("way", retraining.WAYS)
def test_every_way_ends_at_the_fraction_and_leaves_the_reference_alone(trials, way):
    before = trials.reference.fc1.weight.data.copy()
    keeps = layer_fractions(trials.reference, retraining.KEEPS, 0.1)
    model = retraining.WAYS[way](trials, keeps)
    for layer, keep in keeps.items():
        p = getattr(model, layer).weight
        assert density(p) == pytest.approx(keep, abs=0.001)
    np.testing.assert_array_equal(trials.reference.fc1.weight.data, before)
    assert density(trials.reference.fc1.weight) == density(trials.untrained.fc1.weight) == 1


def test_all_are_trained_for_equal_epochs(trials, monkeypatch):
    epochs = []

    def fit(model, images, rng, recipe, **options):
        if recipe.after_step:
            for _ in range(recipe.epochs * -(-len(images.training[0]) // recipe.batch_size)):
                recipe.after_step()
        epochs.append(recipe.epochs)

    monkeypatch.setattr(stage, "fit", fit)
    keeps, total = layer_fractions(trials.reference, retraining.KEEPS, 0.1), {}
    for way, network in retraining.WAYS.items():
        epochs.clear()
        network(trials, keeps)
        total[way] = sum(epochs)
    again = {way: n for way, n in total.items() if way.startswith("over again")}
    assert total.pop("not retrained") == 0 and set(again.values()) == {1 + 2}
    assert {n for way, n in total.items() if way not in again} == {2}


def test_the_result_has_a_number_for_each_way_fraction_and_seed(trials, monkeypatch):
    monkeypatch.setattr(stage, "mnist", lambda: trials.images)
    monkeypatch.setattr(trials, "trained", lambda name, model, *args, **options: model)
    lines = []
    result = retraining.run((0.5, 0.1), (4, 5), lambda images, seed: trials, lines.append)
    assert json.loads(json.dumps(result)) == result and len(lines) == 2 * (1 + 2 * len(retraining.WAYS))
    assert np.shape([result["ways"][way] for way in retraining.WAYS]) == (len(retraining.WAYS), 2, 2)
    assert result["seeds"] == [4, 5] and len(result["reference"]) == len(result["control"]) == 2
