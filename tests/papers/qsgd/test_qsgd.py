"""lightnn/papers/qsgd and lab/exchange: the experiment on a few images, its counts, and a run that is continued."""

import numba
import pytest

from lightnn import data
from lightnn.compress.gradients import Uncompressed
from lightnn.journal import Interrupted, Journal
from lightnn.papers import qsgd
from lightnn.papers.lab import exchange, stage
from lightnn.papers.lab.exchange import Subject, Way
from lightnn.papers.lab.session import Session
from lightnn.papers.qsgd import experiment

PARAMETERS = 431_080
BATCHES = 2
needs_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="training convolutions takes the compiler")


def small(patch, images):
    """The experiment with few images."""
    patch.setattr(data, "load_mnist", lambda: images)
    patch.setattr(stage.split, "__defaults__", (200,))
    patch.setattr(experiment, "FULL", Subject(epochs=2, images=BATCHES * exchange.BATCH_SIZE))
    patch.setattr(exchange, "SEEDS", 2)


def run_once(journal):
    return qsgd.reproduce(Session(journal, seed=1, progress=False, say=lambda line: None))


@pytest.mark.thorough
@needs_compiler
def test_the_bytes_are_those_of_the_messages(run):
    """The control: 4 bytes a number and a checksum for each parameter, from each worker; TernGrad: 5 numbers a byte."""
    _, result = run
    sizes = [500, 20, 25_000, 50, 400_000, 500, 5_000, 10]
    assert sum(sizes) == PARAMETERS
    dense = exchange.WORKERS * BATCHES * sum(4 * n + 4 for n in sizes)
    ternary = exchange.WORKERS * BATCHES * sum(4 + -(-n // 5) + 4 for n in sizes)
    assert result["ways"]["uncompressed"]["bytes by epoch"] == [[dense, dense]] * 2
    assert result["ways"]["TernGrad"]["bytes by epoch"] == [[ternary, ternary]] * 2
    assert result["seeds"] == [1, 2] and result["steps"] == 2 * BATCHES
    assert list(result["ways"]) == ["uncompressed", *qsgd.WAYS]


@pytest.mark.thorough
@needs_compiler
def test_fewer_levels_are_fewer_bytes(run):
    rows = exchange.compare(run[1])
    assert rows["QSGD, s = 1"]["ratio"] > 30 > rows["QSGD, s = 7"]["ratio"] > 10
    assert rows["uncompressed"]["ratio"] == 1 and rows["uncompressed"]["losses"] == [0, 0]


@pytest.mark.thorough
@needs_compiler
def test_the_tables_fit_80_columns_and_a_finished_run_is_read_back(run, images, monkeypatch):
    journal, result = run
    assert max(map(len, qsgd.format_tables(result).splitlines())) <= 80
    small(monkeypatch, images)
    monkeypatch.setattr(exchange, "train_parallel", None)
    assert run_once(journal) == result


@pytest.mark.thorough
@needs_compiler
def test_an_interrupted_run_gives_what_an_uninterrupted_one_gives(run, images, monkeypatch, tmp_path):
    small(monkeypatch, images)
    train, calls = exchange.train_parallel, []

    def third_fails(*args, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*args, **options)

    monkeypatch.setattr(exchange, "train_parallel", third_fails)
    with pytest.raises(Interrupted, match="interrupted in 'QSGD, s = 7'"):
        run_once(Journal(tmp_path))
    again = run_once(Journal(tmp_path))
    assert len(calls) == 1 + 2 * (1 + len(qsgd.WAYS))
    assert {**again, "seconds": 0} == {**run[1], "seconds": 0}


def result_of(accuracies, sizes):
    """A result with these test accuracies, and bytes by epoch, for each seed."""
    ways = {
        name: {"bytes by epoch": [list(sizes[name])] * len(found), "test accuracy %": list(found)}
        for name, found in accuracies.items()
    }
    return {"steps": 20, "epochs": 2, "seeds": [0, 1], "images": 9, "workers": 4, "batch size": 128, "ways": ways}


def test_losses_are_paired_by_seed_and_skipped_epochs_leave_the_ratio():
    result = result_of(
        {"uncompressed": (98.0, 99.0), "a way": (97.9, 98.5)}, {"uncompressed": (4000, 4000), "a way": (900, 100)}
    )
    row, late = (exchange.compare(result, skipped)["a way"] for skipped in (0, 1))
    assert row["losses"] == pytest.approx([0.1, 0.5]) and row["spread"] == pytest.approx(0.4)
    assert (row["ratio"], late["ratio"]) == (8, 40) and (row["bytes a step"], late["bytes a step"]) == (50, 10)
    assert not exchange.reaches(row) and exchange.reaches(late)


@pytest.mark.parametrize(("ratio", "loss", "reached"), [(30, 0.3, True), (29.9, 0, False), (99, 0.31, False)])
def test_what_was_asked_for_takes_both(ratio, loss, reached):
    assert exchange.reaches({"ratio": ratio, "loss": loss}) == reached


def test_a_way_without_compression_is_the_control():
    assert Way(Uncompressed).optimizer is stage.without_decay
    assert qsgd.FULL.steps * exchange.BATCH_SIZE == qsgd.FULL.images
