"""lightnn/papers/quantization_networks: the phases, what is frozen in them, the ways, and the tables."""

import dataclasses
import json

import numba
import numpy as np
import pytest

from lightnn import data, nn
from lightnn.journal import Interrupted, Journal
from lightnn.papers import quantization_networks as qnet
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session
from lightnn.papers.quantization_networks import experiment, tables, ways
from lightnn.papers.quantization_networks.ways import CONTROL, WAYS, Way

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")
TINY = experiment.Subject(reference_epochs=1, reference_images=200, epochs=1, images=100, short_images=50)


def small(patch, images):
    patch.setattr(data, "load_fashion_mnist", lambda: images)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(experiment, "CALIBRATION", 40)
    patch.setattr(experiment, "QUICK", TINY)


def run_once(journal):
    return qnet.reproduce(Session(journal, seed=1, quick=True, progress=False, say=lambda line: None))


@needs_compiler
@pytest.mark.thorough
def test_what_is_measured(run):
    result = run[1]
    assert list(result["ways"]) == [name for name in WAYS if name in experiment.QUICK_WAYS]
    for row in result["ways"].values():
        assert len(row["accuracy"]) == len(row["validation"]) == 1 and len(row["validation"][0]) == TINY.epochs
    assert json.loads(json.dumps(result)) == result
    sizes = [result["ways"][name]["bytes"] for name in ("1 bit", "2 bits", "3 bits, +-4", CONTROL)]
    assert sizes == sorted(sizes) and sizes[0] < sizes[-1] / 5
    assert result["ways"]["1 bit, activations of 2"]["activations"] == "2"


@needs_compiler
@pytest.mark.thorough
def test_the_networks_of_the_three_phases(run):
    part = run[0].part("seed 1")
    weights, activations, both = (
        part.network(step, None)[0]
        for step in ("weights: 1 bit", "activations: 1 bit, activations of 2", "both: 1 bit, activations of 2")
    )
    for net in (weights, activations, both):
        layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
        assert layers[0].weight.values is None and layers[-1].weight.values is None
        assert all(len(np.unique(layer.weight().data)) == 2 for layer in layers[1:-1])
    before, frozen, after = (next(iter(ways.inner(net).values())).weight.data for net in (weights, activations, both))
    assert (before == frozen).all() and (after != frozen).any(), "the weights are frozen in the second phase alone"
    found = ways.soft_activations(activations)
    assert len(found) == len(ways.inner(weights)) and not len(ways.soft_activations(weights))
    assert all(m.temperature == 2 * Way().activation_rate for m in found), "that of the epoch that would come next"


@needs_compiler
@pytest.mark.thorough
def test_the_tables_fit_80_columns_and_a_finished_run_is_read_back(run, images, monkeypatch):
    journal, result = run
    assert max(map(len, qnet.format_tables(result).splitlines())) <= 80
    small(monkeypatch, images)
    monkeypatch.setattr(experiment, "_phase", lambda *args: pytest.fail("a finished step is done again"))
    assert run_once(journal) == result


@needs_compiler
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    phase = experiment._phase

    def fails(run, step, *rest):
        if step.startswith("both"):
            raise KeyboardInterrupt
        return phase(run, step, *rest)

    monkeypatch.setattr(experiment, "_phase", fails)
    with pytest.raises(Interrupted, match="both: 1 bit, activations of 2"):
        run_once(Journal(tmp_path))
    monkeypatch.setattr(experiment, "_phase", phase)
    assert {**run_once(Journal(tmp_path)), "seconds": 0} == {**run[1], "seconds": 0}


def test_the_ways():
    assert all(a.better in WAYS and a.worse in WAYS for a in tables.ABLATIONS) and set(tables.PAPER) <= set(WAYS)
    assert [
        experiment.phases(WAYS[name]) for name in ("2 bits", "activations of 2 bits", "1 bit, activations of 1")
    ] == [
        ["weights"],
        ["activations"],
        ["weights", "activations", "both"],
    ]
    assert (Way().weights, Way().activations, WAYS["3 bits, +-4"].weights) == ("32", "32", "3")


def test_one_quantizer_for_all_layers_and_linear_steps():
    model = experiment.network(0)
    layers = ways.inner(ways.soften_weights(model, WAYS["2 bits, one quantizer"])).values()
    assert len({id(layer.weight.values) for layer in layers}) == 1
    layers = ways.inner(ways.soften_weights(model, WAYS["3 bits, +-4, linear"])).values()
    assert len({id(layer.weight.values) for layer in layers}) == len(layers) == 6
    assert all(layer.weight.values.biases.tolist() == [-3, -1.5, -0.5, 0.5, 1.5, 3] for layer in layers)
    assert next(iter(ways.inner(model).values())).weight.values is None, "the model stays as it was"


def result_of(**accuracies):
    """A result with these accuracies, one for each seed."""
    rows = {
        name: {"weights": "2", "activations": "32", "bytes": 12345, "accuracy": found}
        for name, found in accuracies.items()
    }
    plan = {"reference epochs": 3, "reference images": 9, "epochs": 5, "images": 7, "short images": 5, "parameters": 10}
    return {**plan, "seeds": [0, 1], "reference": [90.0, 91.0], "ways": rows}


def test_losses_gains_and_whether_the_seeds_agree():
    result = result_of(
        **{CONTROL: [90.0, 91.0], "2 bits": [89.9, 90.5], "1 bit": [80.0, 89]},
        **{"2 bits, short": [89.9, 90.5], "2 bits, linear": [88.9, 90.3]},
    )
    assert tables.losses(result, "2 bits") == [0.1, 0.5]
    assert tables.gains(result, tables.ABLATIONS[0]) == [1.0, 0.2]
    assert [tables.order(d) for d in ([1, 0.2], [-1, -2], [1, -1], [0, 1], [5])] == [
        "yes",
        "no",
        "open",
        "open",
        "open",
    ]
    text = qnet.format_tables(result)
    lines = {line.split("  ")[0]: " ".join(line.split()) for line in reversed(text.splitlines())}
    assert lines["2 bits"] == "2 bits 90.20 (0.30) 0.30 (0.20) 0.3 yes 12.3 0.9 1.2"
    assert "no" in lines["1 bit"].split() and "+0.60 (0.40)" in text and "+0.3 AN" in text


def test_the_teacher_is_an_option_of_a_way():
    assert WAYS["1 bit, taught"] == dataclasses.replace(WAYS["1 bit"], taught=True, once=True, short=True)
