"""lightnn/study/book/launch.py: chapters are found, opened in JupyterLab, and run."""

import json
import subprocess
import sys

import pytest

from lightnn.study import chapter, execute, open_lab
from lightnn.study.book import launch as module


def notebook(*sources):
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [code | {"id": f"cell-{i}", "source": source} for i, source in enumerate(sources)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture
def chapters(monkeypatch, tmp_path):
    """A checkout with the chapters 00, 04 and 12, and some other files."""
    folder = tmp_path / "chapters"
    folder.mkdir()
    for name in ("00_start.ipynb", "04_deep.ipynb", "12_filters.ipynb", "04_notes.txt", "x4_other.ipynb"):
        (folder / name).write_text(notebook("print(6 * 7)"))
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "CHAPTERS", folder)
    return folder


@pytest.fixture
def commands(monkeypatch):
    """The commands that open_lab would have run."""
    ran = []
    monkeypatch.setattr(subprocess, "call", lambda command: ran.append(command) or 7)
    return ran


@pytest.mark.parametrize(("number", "name"), [("00", "00_start"), ("0", "00_start"), (4, "04_deep")])
def test_a_chapter_is_found_by_its_number(chapters, number, name):
    assert chapter(number) == chapters / f"{name}.ipynb"


@pytest.mark.parametrize("number", ["1", "99", "abc", "004", "*", "../00"])
def test_a_chapter_that_is_not_there_is_named_beside_those_that_are(chapters, number):
    with pytest.raises(ValueError) as caught:
        chapter(number)
    assert str(caught.value) == f"no chapter {number}; there are 00, 04, 12"


def test_without_a_checkout_the_missing_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "CHAPTERS", tmp_path / "chapters")
    with pytest.raises(ValueError, match=r"want a checkout of the repository, with .*chapters"):
        chapter("00")


@pytest.mark.parametrize(("number", "name"), [(None, "00_start"), ("4", "04_deep")])
def test_jupyterlab_is_started_with_this_python_on_this_computer_only(chapters, commands, capsys, number, name):
    assert open_lab(number, port=9999) == 7
    ((python, *words),) = commands
    assert python == sys.executable and words[:2] == ["-m", "jupyterlab"]
    assert {"--ServerApp.ip=127.0.0.1", "--ServerApp.port=9999", f"--ServerApp.root_dir={chapters.parent}"} < set(words)
    assert f"--LabApp.default_url=/lab/tree/work/{name}.ipynb" in words and "--no-browser" not in words
    assert name in capsys.readouterr().out


def test_the_reader_gets_copies_of_all_chapters_and_a_new_one_when_told(chapters, commands, capsys):
    open_lab("4")
    work = chapters.parent / "work"
    assert sorted(p.name for p in work.iterdir()) == ["00_start.ipynb", "04_deep.ipynb", "12_filters.ipynb"]
    (work / "04_deep.ipynb").write_text(notebook("mine"))
    open_lab("4", fresh=True)
    assert "Your copy is now work/04_deep_old_1.ipynb." in capsys.readouterr().out
    assert "mine" in (work / "04_deep_old_1.ipynb").read_text() and "mine" not in (work / "04_deep.ipynb").read_text()


def test_no_browser_is_opened_when_none_is_wanted(chapters, commands):
    open_lab(browser=False)
    assert "--no-browser" in commands[0]


def test_nothing_is_started_for_a_chapter_that_is_not_there(chapters, commands):
    with pytest.raises(ValueError, match="no chapter 5"):
        open_lab("5")
    assert not commands


def test_ctrl_c_ends_the_server_and_is_no_error(chapters, monkeypatch):
    def interrupted(command):
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess, "call", interrupted)
    assert open_lab() == 0


@pytest.mark.filterwarnings("default")  # of Jupyter's own
def test_execute_runs_a_copy_and_leaves_the_chapter_alone(chapters):
    pytest.importorskip("nbclient")
    before = (chapters / "04_deep.ipynb").read_bytes()
    path = execute("4")
    assert path == chapters.parent / "work" / "executed" / "04_deep.ipynb"
    (cell,) = json.loads(path.read_text())["cells"]
    assert cell["id"] == "cell-0" and "".join(cell["outputs"][0]["text"]) == "42\n"
    assert (chapters / "04_deep.ipynb").read_bytes() == before


@pytest.mark.filterwarnings("default")
def test_a_cell_that_fails_is_shown_and_writes_nothing(chapters):
    nbclient = pytest.importorskip("nbclient")
    (chapters / "12_filters.ipynb").write_text(notebook("x = 1", "x / 0"))
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        execute("12")
    assert not (chapters.parent / "work").exists()
