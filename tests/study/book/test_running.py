"""Chapters are executed and compared; a claim on times that does not hold here is said, and keeps a run from being
written."""

import types

import pytest

from lightnn.study.book import running
from lightnn.study.book.claims import NOT_HERE


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """chapter(printed): a chapter of one tagged cell, which printed "a" when it was committed and prints this now."""
    nbformat = pytest.importorskip("nbformat", reason="want nbformat, of the group study")
    path = tmp_path / "01_a.ipynb"

    def notebook(text):
        outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
        cell = nbformat.v4.new_code_cell("run()", outputs=outputs, metadata={"tags": ["same"]}, id="a")
        return nbformat.v4.new_notebook(cells=[cell])

    def committed(printed):
        nbformat.write(notebook("a\n"), path)
        monkeypatch.setattr(running, "run", lambda given: given.update(notebook(printed)))
        launch = types.SimpleNamespace(ROOT=tmp_path, numbers=lambda: ["01"], chapter=lambda number: path)
        monkeypatch.setattr(running, "launch", launch)
        return path

    return committed


@pytest.mark.parametrize(
    ("printed", "count", "want"),
    [
        ("a\n", 0, ["1 tagged cells, 0 differ"]),
        ("b\n", 1, ["1 tagged cells, 1 differ", "  cell a (same): want 'a', got 'b'"]),
    ],
)
def test_what_is_printed_is_compared_and_the_chapter_stays(chapter, printed, count, want):
    path, said = chapter(printed), []
    before = path.read_bytes()
    assert running.execute_and_compare(say=said.append) == count
    assert said[0].endswith(want[0]) and said[1:] == want[1:] and path.read_bytes() == before
    assert (path.parent / "work" / "executed" / path.name).exists()


def test_a_claim_on_times_that_does_not_hold_is_said_and_is_no_difference(chapter):
    said, path = [], chapter("a\n")
    nbformat = pytest.importorskip("nbformat")
    cell = nbformat.v4.new_code_cell("", outputs=[nbformat.v4.new_output("stream", text=f"{NOT_HERE}step 5 is faster")])
    run = running.run

    def run_and_miss(notebook):
        run(notebook)
        notebook.cells.append(cell)

    before = path.read_bytes()
    for write, count, state in ((False, 0, "1 tagged cells, 0 differ"), (True, 1, "not written")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(running, "run", run_and_miss)
            assert running.execute_and_compare(write=write, say=said.append) == count
        assert said[-2].endswith(state) and said[-1] == "  Not so on this machine now: step 5 is faster"
    assert path.read_bytes() == before


def test_a_run_without_a_miss_is_written(chapter):
    path, said = chapter("b\n"), []
    assert running.execute_and_compare(write=True, say=said.append) == 0
    assert said[0].endswith(" written") and '"b\\n"' in path.read_text()
