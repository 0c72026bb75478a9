"""lightnn/papers/dgc: the experiment on a few images, its counts, and a run that is continued."""

import numba
import pytest

from lightnn import data, optim
from lightnn.journal import Interrupted, Journal
from lightnn.papers import dgc
from lightnn.papers.dgc import experiment
from lightnn.papers.lab import exchange, stage
from lightnn.papers.lab.exchange import Subject
from lightnn.papers.lab.session import Session

SIZES = (500, 20, 25_000, 50, 400_000, 500, 5_000, 10)  # LeNet-5's parameters
needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


def small(patch, images):
    """The experiment with few images: an epoch is a step."""
    patch.setattr(data, "load_mnist", lambda: images)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(experiment, "FULL", Subject(epochs=6, images=exchange.BATCH_SIZE))
    patch.setattr(exchange, "SEEDS", 2)


def run_once(journal):
    return dgc.reproduce(Session(journal, seed=1, progress=False, say=lambda line: None))


@pytest.mark.thorough
@needs_compiler
def test_each_epoch_of_the_warm_up_sends_its_fraction(run):
    """A number sent has 32 bits and a distance, which has at least one bit and here at most 42."""
    found = run[1]["ways"]
    fractions = (0.25, 0.0625, 0.015625, 0.004, 0.001, 0.001)
    for sizes in found[experiment.WITH]["bytes by epoch"]:
        for size, fraction in zip(sizes, fractions, strict=True):
            sent = sum(max(1, round(fraction * n)) for n in SIZES) * exchange.WORKERS
            assert 4 * sent < size < 10 * sent + exchange.WORKERS * len(SIZES) * 16
    for sizes in found[experiment.WITHOUT]["bytes by epoch"]:
        assert max(sizes) < 1.2 * min(sizes)  # distances grow when what is sent spreads out
    assert set(found) == {"uncompressed", experiment.WITH, experiment.WITHOUT}


@pytest.mark.thorough
@needs_compiler
def test_the_warm_up_has_most_bytes_and_the_ratio_after_it_is_that_without(run):
    result = run[1]
    whole, late = exchange.compare(result), exchange.compare(result, result["warm-up epochs"])
    assert whole[experiment.WITH]["ratio"] < 30 < 300 < late[experiment.WITH]["ratio"]
    assert late[experiment.WITH]["ratio"] == pytest.approx(late[experiment.WITHOUT]["ratio"], rel=0.1)


@pytest.mark.thorough
@needs_compiler
def test_the_tables_fit_80_columns_and_a_finished_run_is_read_back(run, images, monkeypatch):
    journal, result = run
    text = dgc.format_tables(result)
    assert max(map(len, text.splitlines())) <= 80 and "97 MB -> 0.35 MB" in text
    small(monkeypatch, images)
    monkeypatch.setattr(exchange, "train_parallel", None)
    assert run_once(journal) == result


@needs_compiler
@pytest.mark.thorough
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    tested = stage.error

    def fails(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(stage, "error", fails)
    with pytest.raises(Interrupted, match="test uncompressed"):
        run_once(Journal(tmp_path))
    monkeypatch.setattr(stage, "error", tested)
    assert {**run_once(Journal(tmp_path)), "seconds": 0} == {**run[1], "seconds": 0}


def test_the_full_tables_of_8_epochs_fit_80_columns():
    dense = [6_897_408 * dgc.FULL.steps] * dgc.FULL.epochs
    way = {"bytes by epoch": [dense] * 3, "test accuracy %": [97.0] * 3}
    plan = {"images": dgc.FULL.images, "epochs": dgc.FULL.epochs, "steps": dgc.FULL.epochs * dgc.FULL.steps}
    names = ("uncompressed", experiment.WITH, experiment.WITHOUT)
    result = {"workers": 4, "batch size": 128, **plan, "seeds": [0, 1, 2], "ways": dict.fromkeys(names, way)}
    text = dgc.format_tables({**result, "sparsity": 0.999, "warm-up epochs": 4})
    assert max(map(len, text.splitlines())) <= 80
    assert "each number 0.50 times" in text


def test_the_momentum_is_the_codecs_alone():
    for way in dgc.ways(dgc.FULL).values():
        codec = way.codec((3,), rng=0)
        assert codec.momentum == 0.9 and codec.sparsity == 0.999
        assert way.optimizer is optim.SGD
    assert dgc.ways(dgc.FULL)[experiment.WITH].codec((3,)).warm_up_steps == dgc.FULL.steps == 63
