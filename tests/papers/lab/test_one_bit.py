"""lightnn/papers/lab/one_bit.py and its table: ways of one network, journals, files, and the optimizer."""

import functools

import numpy as np
import pytest

from lightnn import compress, data, nn, optim
from lightnn import functional as F
from lightnn.journal import Interrupted, Journal
from lightnn.papers.lab import one_bit, stage
from lightnn.papers.lab.one_bit import GlorotAdam, Subject, Way, binary, glorot_scale
from lightnn.papers.lab.one_bit_tables import Beside, format_errors
from lightnn.papers.lab.session import Session
from lightnn.training import Recipe


def small(rng):
    layers = nn.Linear(784, 16, rng=rng), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 10, rng=rng)
    return nn.Sequential(nn.Flatten(), *layers)


WAYS = {
    "floats": Way("32", "32", small),
    "signs": Way("1", "32", lambda rng: binary(small(rng), compress.use_binary, rng), {"as it is": lambda m, x: m}),
}
SUBJECT = Subject("a small network", Recipe(2, 0.003, GlorotAdam, batch_size=50, loss=F.squared_hinge), 300)


def run_once(journal, patch, images, ways=WAYS):
    patch.setattr(data, "load_mnist", lambda: images)
    patch.setattr(one_bit, "VALIDATION", 200)
    return one_bit.measure(SUBJECT, ways, Session(journal, seed=1, progress=False, say=lambda line: None))


def test_it_measures_each_way_and_a_table_shows_it(images, monkeypatch, tmp_path):
    journal = Journal(tmp_path)
    result = run_once(journal, monkeypatch, images)
    assert list(result["ways"]) == list(WAYS) and (result["epochs"], result["images"], result["seed"]) == (2, 300, 1)
    floats, signs = result["ways"].values()
    assert signs["forms"]["as it is"] == {name: signs[name] for name in ("validation error %", "test error %")}
    assert signs["bytes"] < floats["bytes"] / 8 and len(signs["epoch errors %"]) == 2
    assert signs["validation error %"] == min(signs["epoch errors %"])
    network, _ = journal.network("signs", None)
    assert {-1, 1} == set(np.unique(network[1].weight().data)) and np.abs(network[1].weight.data).max() <= 1
    beside = Beside({"signs": "1.29"}, {"signs": 0.0, "signs: as it is": 100}, ("a note",))
    text = format_errors(result | {"network": "a_network_of_20_chars on MNIST", "images": 55_000}, beside)
    lines = {line.split()[0]: line.split() for line in text.splitlines() if line.strip()}
    assert lines["signs"][1:3] == ["1/32", "1.29"] and lines["signs"][-1] == "no" and lines["as"][-1] == "yes"
    assert max(map(len, text.splitlines())) <= 80 and "2 epochs of 55,000 images" in text and text.endswith("a note")


@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(images, monkeypatch, tmp_path):
    whole = run_once(Journal(tmp_path / "whole"), monkeypatch, images)
    fit, calls = stage.fit_and_tell, []

    def second_fails(*args, **options):
        calls.append(1)
        if len(calls) == 2:
            raise Interrupted("interrupted in a test")
        return fit(*args, **options)

    monkeypatch.setattr(stage, "fit_and_tell", second_fails)
    with pytest.raises(Interrupted):
        run_once(Journal(tmp_path / "parts"), monkeypatch, images)
    again = run_once(Journal(tmp_path / "parts"), monkeypatch, images)
    assert len(calls) == 3 and {**again, "seconds": 0} == {**whole, "seconds": 0}


def test_only_binary_weights_take_longer_steps():
    plain, twin = (nn.Linear(40, 20, rng=0) for _ in range(2))
    compress.use_binary(twin.weight)
    before = twin.weight.data.copy()
    for layer in (plain, twin):
        optimizer = GlorotAdam(layer.parameters(), lr=0.001)
        layer.weight.grad, layer.bias.grad = np.ones((20, 40), np.float32), np.ones(20, np.float32)
        optimizer.step()
        assert optimizer.lr == 0.001
    scale = np.sqrt(1.5 / 60)
    np.testing.assert_allclose(before - twin.weight.data, np.full((20, 40), 0.001 / scale), rtol=1e-3)
    np.testing.assert_allclose(before - plain.weight.data, np.full((20, 40), 0.001), rtol=1e-3)
    np.testing.assert_array_equal(plain.bias.data, twin.bias.data)
    assert glorot_scale((64, 32, 5, 5)) == pytest.approx((1.5 / (25 * 96)) ** 0.5)


def test_latent_weights_are_drawn_anew_for_the_layers_that_get_a_bit(rng):
    model = binary(small(0), functools.partial(compress.use_stochastic_binary, rng=rng), rng, ["1"])
    w = model[1].weight.data
    assert -1 <= w.min() < -0.99 and 0.99 < w.max() < 1 and abs(w.mean()) < 0.02
    assert isinstance(model[1].weight.values, compress.StochasticBinary) and model[4].weight.values is None


def test_a_smaller_subject_trains_less():
    less = one_bit.shorter(SUBJECT, 1, 50)
    assert (less.recipe.epochs, less.images, less.recipe.optimizer) == (1, 50, GlorotAdam)
    falling = one_bit.falling(optim.SGD([nn.Parameter(np.ones(1))], 0.003), 4)
    assert falling.factor(4) * 0.003 == pytest.approx(one_bit.LAST_LR)
