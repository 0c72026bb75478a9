"""A claim on times that a busy machine disturbed is tried again; anything else fails at once."""

import pytest

from lightnn.study.book import running

nbformat = pytest.importorskip("nbformat")
exceptions = pytest.importorskip("nbclient.exceptions")


@pytest.fixture
def chapter(tmp_path):
    path = tmp_path / "01_a.ipynb"
    nbformat.write(nbformat.v4.new_notebook(), path)
    return path


def failing(times, name="AssertionError"):
    """In the place of `run`: fails so many times."""
    calls = []

    def run(notebook):
        calls.append(notebook)
        if len(calls) <= times:
            raise exceptions.CellExecutionError("", name, "step 5 is\nfaster")

    return run, calls


def test_a_claim_that_held_in_the_second_run(chapter, monkeypatch):
    said, (run, calls) = [], failing(1)
    monkeypatch.setattr(running, "run", run)
    assert running._run_until_claims_hold(chapter, said.append) is calls[1]
    assert calls[0] is not calls[1] and said[0].endswith("a claim did not hold, so once more: step 5 is faster")


@pytest.mark.parametrize(("times", "name", "runs"), [(3, "AssertionError", 3), (1, "ValueError", 1)])
def test_a_wrong_claim_and_any_other_error_fail(chapter, monkeypatch, times, name, runs):
    run, calls = failing(times, name)
    monkeypatch.setattr(running, "run", run)
    with pytest.raises(exceptions.CellExecutionError):
        running._run_until_claims_hold(chapter, print)
    assert len(calls) == runs
