"""lightnn/papers/han2015: the experiment on a few images, and the paper's way of counting by hand."""

import dataclasses
import itertools

import numpy as np
import pytest
from numba import config

from lightnn import data, models
from lightnn.compress import density, prune, quality_for
from lightnn.journal import Interrupted, Journal, draws
from lightnn.papers import han2015
from lightnn.papers.han2015 import curves, experiment, tables
from lightnn.papers.han2015.tables import count_layers, count_network, flop_fractions, format_tables
from lightnn.papers.lab import stage
from lightnn.papers.lab.experiment import Experiment
from lightnn.papers.lab.pruning import prune_to
from lightnn.papers.lab.session import Session

SUBJECT = dataclasses.replace(
    han2015.QUICK["lenet_300_100"],
    training=stage.recipe(epochs=4, lr=0.1),
    retraining=(stage.recipe(epochs=1, lr=0.05), stage.recipe(epochs=2, lr=0.05)),
    curves=curves.Curves((0.3, 0.1), stage.recipe(epochs=1, lr=0.05), l1=1e-4),
)


def small(patch, images):
    """The experiment, with these images and a network of few epochs."""
    patch.setattr(data, "load_mnist", lambda: images)
    patch.setattr(data, "random_shift", lambda x, *args, **options: x)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(curves, "BATCHES", 2)
    patch.setattr(experiment, "FULL", {"lenet_300_100": SUBJECT})


@pytest.fixture(scope="module")
def run(tmp_path_factory, images):
    """(journal, result, lines said) of an uninterrupted run."""
    journal, said = Journal(tmp_path_factory.mktemp("run")), []
    with pytest.MonkeyPatch.context() as patch:
        small(patch, images)
        return journal, han2015.reproduce(Session(journal, seed=1, progress=False, say=said.append)), said


@pytest.mark.parametrize("network", ["lenet_300_100", "lenet5"])
def test_the_papers_own_column_follows_from_its_rule(network):
    """FLOP% of tables 2 and 3 from their columns FLOP, Weights% and Act%, to what the rounding leaves."""
    rows = list(tables.LAYERS[network].values())
    flops = [1000 * int(row[1].rstrip("K")) for row in rows[:-1]]
    active, kept, left = (np.array([row[i] for row in rows[:-1]]) / 100 for i in (2, 3, 4))
    left_over, total = flop_fractions(flops, kept, active)
    np.testing.assert_allclose(left_over, left, atol=0.009)  # fc2 of table 2: 3.4 %, printed as 4
    assert total == pytest.approx(rows[-1][4] / 100, abs=0.009)


def test_operations_left_by_hand():
    left_over, total = flop_fractions([100, 300, 600], [0.5, 0.2, 1.0], [0.4, 0.1, 0.9])
    np.testing.assert_allclose(left_over, [0.5, 0.2 * 0.4, 1.0 * 0.1])
    assert total == pytest.approx((50 + 24 + 60) / 1000)
    left_over, total = flop_fractions(np.array([7]), np.array([0.25]), np.array([0.5]))
    assert left_over.tolist() == [0.25] and total == 0.25


def test_the_papers_totals_are_of_what_the_next_layer_reads():
    """Act% of table 2: 300, 100 and 10 outputs, 38, 65 and 100 % of them not 0, are 46 %; of table 3, after pooling."""
    for network, read in (("lenet_300_100", [300, 100, 10]), ("lenet5", [2880, 800, 500, 10])):
        *rows, total = tables.LAYERS[network].values()
        assert np.average([row[2] for row in rows], weights=read) == pytest.approx(total[2], abs=0.5)


def test_counting_a_network_that_is_pruned_to_the_papers_fractions(rng):
    model, keeps = models.lenet_300_100(rng=0), {"fc1": 0.08, "fc2": 0.09, "fc3": 0.26}
    prune_to(model, keeps)
    model.fc1.bias.data[:] = -1e6  # no output of fc1 is left
    model.fc1.bias.data[:75] = 1e6  # but a quarter of them
    rows = count_layers(model, keeps, rng.random((10, 1, 28, 28), np.float32))
    assert [row["weights"] for row in rows.values()] == [235_200, 30_000, 1_000, 266_200]
    assert [row["flop"] for row in rows.values()] == [470_400, 60_000, 2_000, 532_400]
    assert [row["kept %"] for row in rows.values()] == pytest.approx([8, 9, 26, 100 * 21_776 / 266_200])
    assert rows["fc1"]["active %"] == 25 and rows["fc3"]["active %"] == 100
    assert rows["fc1"]["flop %"] == pytest.approx(8) and rows["fc2"]["flop %"] == pytest.approx(9 * 0.25)
    assert count_network(model, keeps) == {
        "parameters": 266_610,
        "parameters left": 21_776 + 410,
        "rate": 266_610 / 22_186,
    }


def test_lenet5_has_the_papers_weights_and_flop():
    layers = [name for name in tables.LAYERS["lenet5"] if name != "total"]
    rows = count_layers(models.lenet5(rng=0), layers, np.zeros((1, 1, 28, 28), np.float32))
    assert [row["weights"] for row in rows.values()] == [500, 25_000, 400_000, 5_000, 430_500]
    assert [row["flop"] for row in rows.values()] == [576_000, 3_200_000, 800_000, 10_000, 4_586_000]


@pytest.mark.parametrize("name", ["lenet_300_100", "lenet5"])
def test_the_committed_fractions_make_the_networks_twelve_times_smaller(name):
    subject = han2015.FULL[name]
    model = subject.make(rng=0)
    prune_to(model, subject.keeps)
    assert count_network(model, subject.keeps)["rate"] >= 12
    rounded = [round(100 * keep) for keep in subject.keeps.values()]
    assert rounded == [row[3] for row in list(tables.LAYERS[name].values())[:-1]]


@pytest.mark.parametrize("fraction", [1.0, 0.5, 0.08, 0.02])
def test_layer_fractions_keep_the_fraction_of_all_weights_in_the_papers_proportions(fraction):
    keeps, sizes = han2015.FULL["lenet5"].keeps, np.array([500, 25_000, 400_000, 5_000])
    found = curves.layer_fractions(models.lenet5(rng=0), keeps, fraction)
    assert np.array(list(found.values())) @ sizes == pytest.approx(fraction * sizes.sum())
    ratios = {found[name] / keep for name, keep in keeps.items() if found[name] < 1}
    assert len({round(r, 6) for r in ratios}) <= 1 and max(found.values()) <= 1


def test_l1_is_the_sum_of_magnitudes_of_the_weights(rng):
    from lightnn import functional as F
    from lightnn.tensor import Tensor

    model, x, y = models.lenet_300_100(rng=0), Tensor(rng.random((5, 1, 28, 28), np.float32)), np.arange(5)
    prune(model.fc1.weight, quality_for(model.fc1.weight.data, 0.1))
    outputs = model(x)
    total = sum(np.abs(getattr(model, n).weight().data).sum() for n in ("fc1", "fc2", "fc3"))
    loss = stage.l1_loss(model, 1e-3)(outputs, y)
    assert loss.item() == pytest.approx(F.cross_entropy(model(x), y).item() + 1e-3 * total, rel=1e-5)
    loss.backward()
    assert not model.fc1.weight.grad[~model.fc1.weight.support.mask].any()


def test_the_result_has_tables_curves_and_sensitivity(run):
    _, result, said = run
    found = result["networks"]["lenet_300_100"]
    assert found["rate"] >= 12 and found["pruned error %"] < 50
    assert found["layers"]["total"]["kept %"] == pytest.approx(100 * 21_776 / 266_200)
    figure = found["figure 5"]
    assert list(figure["curves"]) == list(curves.CURVES) and all(len(c) == 2 for c in figure["curves"].values())
    assert figure["curves"]["random, retrained"][1] < figure["curves"]["L2, iterative"][1]
    sensitivity = found["sensitivity"]
    assert {len(c) for c in sensitivity["accuracy %"].values()} == {len(sensitivity["fractions"])}
    assert [step["step"] for step in found["steps"]] == ["reference", "prune, step 1", "prune, step 2"]
    assert len(said) == 5 and result["seconds"] > 0


def test_no_curve_changes_the_reference(run):
    """Every network of figure 5 is a copy: the reference in the journal is dense, and what follows starts from it."""
    part = run[0].part("lenet_300_100")
    reference = part.network("reference", None)[0]
    assert [density(p) for p in reference.parameters()] == [1.0] * 6
    first = part.network("prune, step 1", None)[0]
    assert density(first.fc1.weight) == pytest.approx(0.08**0.5, abs=1e-4)


def test_a_gradual_point_ends_at_its_fractions(images, monkeypatch):
    small(monkeypatch, images)
    one = Experiment("lenet_300_100", SUBJECT, stage.mnist(), Session(None, progress=False))
    keeps = {"fc1": 0.05, "fc2": 0.1, "fc3": 0.3}
    model = curves._gradual(one, "x", one.fresh(), keeps, stage.recipe(epochs=3, lr=0.05))
    assert [density(getattr(model, name).weight) for name in keeps] == pytest.approx(list(keeps.values()), abs=1e-3)


@pytest.mark.skipif(config.DISABLE_JIT, reason="training it once more needs the compiler")
@pytest.mark.thorough
@pytest.mark.parametrize("batch", [5, 40])
def test_an_interrupted_run_goes_on_to_the_very_same_result(run, images, tmp_path, monkeypatch, batch):
    """Each batch is augmented; six are an epoch."""
    small(monkeypatch, images)
    shift, count, said = data.random_shift, itertools.count(1), []

    def interrupt(x, *args, **options):
        if next(count) == batch:
            raise KeyboardInterrupt
        return shift(x, *args, **options)

    monkeypatch.setattr(data, "random_shift", interrupt)
    journal = Journal(tmp_path, said.append)
    with pytest.raises(Interrupted, match=r"interrupted in 'lenet_300_100: .*'; the same command continues from here"):
        han2015.reproduce(Session(journal, seed=1, progress=False, say=said.append))
    result = han2015.reproduce(Session(Journal(tmp_path, said.append), seed=1, progress=False, say=said.append))
    assert result["networks"] == run[1]["networks"]
    model, want = (j.part("lenet_300_100").network("prune, step 2", None)[0] for j in (journal, run[0]))
    for p, q in zip(model.parameters(), want.parameters()):
        np.testing.assert_array_equal(p().data, q().data)


def test_a_finished_run_trains_nothing(run, images, monkeypatch):
    small(monkeypatch, images)
    monkeypatch.setattr(stage, "follow", None)
    again = han2015.reproduce(Session(run[0], seed=1, progress=False, say=lambda line: None))
    assert again == run[1]


def test_the_tables_fit_80_columns(run):
    found = run[1]["networks"]["lenet_300_100"]
    lenet5 = {**found, "layers": dict.fromkeys(tables.LAYERS["lenet5"], found["layers"]["total"]), "rate": 100.04}
    lenet5["figure 5"] = {**found["figure 5"], "fractions": [0.5] * 8}
    lenet5["figure 5"]["curves"] = {name: [100.0] * 8 for name in curves.CURVES}
    text = format_tables({"networks": {"lenet_300_100": found | {"reference error %": 100.0}, "lenet5": lenet5}})
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("fc1") and "235,200" in line for line in lines)
    assert "Table 3: LeNet-5" in lines and "Caffe's LeNet-5 has no ReLU" in text and "L2, gradual" in text


def test_the_weights_kept_at_random_differ_from_seed_to_seed():
    masks = []
    for seed in (0, 1):
        model = models.lenet_300_100(rng=0)
        curves.remove_at_random(model, {"fc1": 0.1, "fc3": 0.5}, draws(seed, "x"))
        masks.append(model.fc1.weight.support.mask)
        assert density(model.fc3.weight) == 0.5 and model.fc2.weight.support is None
    assert (masks[0] != masks[1]).any()
