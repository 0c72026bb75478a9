"""lightnn/papers/nagel2019: the experiment on a few images, what counts as recovered, and a run that is continued."""

import dataclasses
import json

import numba
import pytest

from lightnn import data
from lightnn.__main__ import main
from lightnn.data import datasets, fetch
from lightnn.journal import Interrupted, Journal
from lightnn.papers import nagel2019
from lightnn.papers.lab import stage
from lightnn.papers.lab.session import Session
from lightnn.papers.nagel2019 import experiment, tables

needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")
TINY = dataclasses.replace(nagel2019.QUICK, images=100, bits=(4,), steps=2)


def small(patch, images):
    """The experiment with few images."""
    patch.setattr(data, "load_fashion_mnist", lambda: images)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(experiment, "CALIBRATION", 40)
    patch.setattr(experiment, "QUICK", TINY)


def run_once(journal):
    return nagel2019.reproduce(Session(journal, seed=1, quick=True, progress=False, say=lambda line: None))


@needs_compiler
@pytest.mark.thorough
def test_every_way_is_measured_at_all_bits(run):
    result = run[1]
    assert list(result["ways"]) == list(nagel2019.WAYS) and result["parameters"] == 6_010
    for by_bits in result["ways"].values():
        assert set(by_bits) == {"4"}
        assert all(len(found) == 1 and 0 <= found[0] <= 100 for found in by_bits.values())
    assert json.loads(json.dumps(result)) == result


@needs_compiler
@pytest.mark.thorough
def test_the_tables_fit_80_columns_and_a_finished_run_is_read_back(run, images, monkeypatch):
    journal, result = run
    assert max(map(len, nagel2019.format_tables(result).splitlines())) <= 80
    small(monkeypatch, images)
    monkeypatch.setattr(experiment, "rounded", None)
    assert run_once(journal) == result


@needs_compiler
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    rounded = experiment.rounded

    def fails(run, model, bits, way, name):
        if way.adaround:
            raise KeyboardInterrupt
        return rounded(run, model, bits, way, name)

    monkeypatch.setattr(experiment, "rounded", fails)
    with pytest.raises(Interrupted, match="equalised, AdaRound, 4 bits"):
        run_once(Journal(tmp_path))
    monkeypatch.setattr(experiment, "rounded", rounded)
    assert {**run_once(Journal(tmp_path)), "seconds": 0} == {**run[1], "seconds": 0}


def result_of(float_, **ways):
    """A result for two seeds: {way: {bits: accuracies}}, a way that is left out as good as float."""
    found = {name: {K: list(float_) for K in ("8", "4")} for name in nagel2019.WAYS} | ways
    how = {"parameters": 6010, "images": 20_000, "epochs": 4, "steps": 300, "seeds": [0, 1]}
    return {**how, "float": list(float_), "ways": found}


def test_what_is_recovered_is_a_fraction_of_what_plain_rounding_lost():
    plain = {"8": [89.8, 87.9], "4": [10.0, 12.0]}
    result = result_of((90.0, 88.0), **{tables.PLAIN: plain, tables.BOTH: {"8": [90.0, 88.0], "4": [86.0, 84.0]}})
    assert tables.lost(result, "4") == [80.0, 76.0]
    assert nagel2019.recovered(result, tables.BOTH, "4") == pytest.approx((76 + 72) / (80 + 76))
    assert nagel2019.recovered(result, tables.BOTH, "8") is None
    text = nagel2019.format_tables(result)
    assert "both recover 94.9 %  yes" in text and "nothing to recover" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_miss_is_said_as_a_miss():
    plain = {"8": [10.0, 10.0], "4": [10.0, 10.0]}
    result = result_of((90.0, 90.0), **{tables.PLAIN: plain, tables.BOTH: {"8": [73.0, 73.0], "4": [10.0, 10.0]}})
    assert "both recover 78.8 %  no" in nagel2019.format_tables(result)


def test_the_full_tables_of_four_bit_widths_fit_80_columns():
    ways = {name: {K: [100.0, 9.99, 55.5] for K in ("8", "6", "4", "3")} for name in nagel2019.WAYS}
    result = {**result_of((100.0, 100.0)), "float": [100.0, 87.65, 91.0], "seeds": [0, 1, 2], "ways": ways}
    assert max(map(len, nagel2019.format_tables(result).splitlines())) <= 80


def test_without_fashion_mnist_the_command_says_what_it_wants(monkeypatch, tmp_path, capsys):
    def unreachable(*args, **options):
        raise OSError("no network")

    monkeypatch.setattr(fetch, "search_folders", lambda source: [tmp_path])
    monkeypatch.setattr(fetch, "download", unreachable)
    assert main(["reproduce", "nagel2019", "--quick"]) == 2
    error = capsys.readouterr().err
    assert "Fashion-MNIST is not on this computer" in error and "LIGHTNN_DATA" in error
    assert datasets.FASHION_MNIST.page in error
