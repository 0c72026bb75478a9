"""lightnn/study/book/copies.py: the reader's copies follow the chapters and lose nothing of the reader's."""

import json
import pathlib

import numpy as np
import pytest

from lightnn.study.book import copies


def write(path, sources, output="", **metadata):
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": outputs, "execution_count": 1, "source": source}
        for i, source in enumerate(sources)
    ]
    path.write_text(json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))


def change(path, function):
    """Do what JupyterLab does when it saves: read, change, write with other spaces."""
    document = json.loads(path.read_text())
    function(document["cells"])
    path.write_text(json.dumps(document, indent=3))


def sources(path):
    return ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]


@pytest.fixture
def book(tmp_path):
    """(the chapters' folder, the copies' folder, update()), update giving the lines it said."""
    chapters, work = tmp_path / "chapters", tmp_path / "work"
    chapters.mkdir()
    for name in ("00_start.ipynb", "04_deep.ipynb"):
        write(chapters / name, [f"# {name}", "x = 1"], "1")

    def update():
        said = []
        copies.update(sorted(chapters.glob("*.ipynb")), work, said.append)
        return said

    return chapters, work, update


def test_every_chapter_has_a_copy_with_its_outputs(book):
    chapters, work, update = book
    assert update() == [] and sorted(p.name for p in work.iterdir()) == ["00_start.ipynb", "04_deep.ipynb"]
    document = json.loads((work / "04_deep.ipynb").read_text())
    assert document["cells"] == json.loads((chapters / "04_deep.ipynb").read_text())["cells"]
    assert set(document["metadata"]["lightnn"]) == {"chapter", "cells"}


def test_a_copy_is_left_alone_while_its_chapter_is_the_same(book):
    _, work, update = book
    update()
    copy = work / "04_deep.ipynb"
    change(copy, lambda cells: cells[0].update(outputs=[]))
    before = copy.read_bytes()
    assert update() == [] and copy.read_bytes() == before


def test_an_unchanged_copy_follows_its_chapter_even_when_it_was_run(book):
    chapters, work, update = book
    update()
    change(work / "04_deep.ipynb", lambda cells: cells[0].update(outputs=[], execution_count=7))
    write(chapters / "04_deep.ipynb", ["new"])
    assert update() == [] and sources(work / "04_deep.ipynb") == ["new"]


@pytest.mark.parametrize(
    "edit",
    [
        lambda cells: cells[1].update(source=["x = ", "2"]),
        lambda cells: cells.pop(),
        lambda cells: cells.append(dict(cells[0], id="mine", source="mine")),
        lambda cells: cells[0].update(cell_type="markdown"),
        lambda cells: cells.reverse(),
    ],
)
def test_a_copy_that_the_reader_changed_is_kept_and_one_line_says_so(book, edit):
    chapters, work, update = book
    update()
    copy = work / "04_deep.ipynb"
    change(copy, edit)
    before = copy.read_bytes()
    assert update() == []
    write(chapters / "04_deep.ipynb", ["new"])
    (line,) = update()
    assert line.startswith("work/04_deep.ipynb has your changes") and "python -m lightnn study 04 --fresh" in line
    assert copy.read_bytes() == before and sources(work / "00_start.ipynb")[0] == "# 00_start.ipynb"


@pytest.mark.parametrize("content", ["", "not json", "[]", '{"metadata": {"lightnn": 3}}', '{"cells": 3}'])
def test_a_file_that_is_no_copy_is_kept(book, content):
    _, work, update = book
    work.mkdir()
    (work / "04_deep.ipynb").write_text(content)
    assert len(update()) == 1 and (work / "04_deep.ipynb").read_text() == content


def test_a_copy_that_equals_the_new_chapter_is_brought_up_to_date(book):
    chapters, work, update = book
    update()
    change(work / "04_deep.ipynb", lambda cells: cells[1].update(source="x = 2"))
    write(chapters / "04_deep.ipynb", ["# 04_deep.ipynb", "x = 2"])
    assert update() == []
    write(chapters / "04_deep.ipynb", ["new"])
    assert update() == [] and sources(work / "04_deep.ipynb") == ["new"]


def test_starting_anew_puts_the_old_copy_aside(book):
    chapters, work, update = book
    said = []
    for mine in ("first", "second"):
        update()
        change(work / "04_deep.ipynb", lambda cells, mine=mine: cells[0].update(source=mine))
        copies.start_anew(chapters / "04_deep.ipynb", work, said.append)
    assert said == [f"Your copy is now work/04_deep_old_{i}.ipynb." for i in (1, 2)]
    assert [sources(work / f"04_deep_old_{i}.ipynb")[0] for i in (1, 2)] == ["first", "second"]
    assert sources(work / "04_deep.ipynb") == ["# 04_deep.ipynb", "x = 1"]
    copies.start_anew(chapters / "00_start.ipynb", pathlib.Path(work.parent / "other"), said.append)
    assert len(said) == 2


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_the_chapters_stay_and_no_text_of_the_readers_is_lost(book, seed):
    """Random days: the reader edits, runs, starts anew; the chapters change; the book is opened."""
    chapters, work, update = book
    rng, mine = np.random.default_rng(seed), set()
    update()
    for day in range(40):
        name = str(rng.choice(["00_start.ipynb", "04_deep.ipynb"]))
        deed = rng.choice(["edit", "run", "chapter", "anew", "open", "open"])
        if deed == "edit":
            mine.add(f"mine {day}")
            change(work / name, lambda cells, day=day: cells.append(dict(cells[0], source=f"mine {day}")))
        elif deed == "run":
            change(work / name, lambda cells, day=day: [cell.update(execution_count=day) for cell in cells])
        elif deed == "chapter":
            write(chapters / name, [f"version {day}", "x = 1"])
        before = {p: p.read_bytes() for p in chapters.iterdir()}
        if deed == "anew":
            copies.start_anew(chapters / name, work, lambda line: None)
        elif deed == "open":
            update()
            for chapter in chapters.iterdir():
                now, there = sources(work / chapter.name), sources(chapter)
                assert now == there or any(text.startswith("mine") for text in now)
        assert {p: p.read_bytes() for p in chapters.iterdir()} == before
        assert mine <= {text for path in work.iterdir() for text in sources(path)}
    assert {p.name for p in work.parent.iterdir()} == {"chapters", "work"}
