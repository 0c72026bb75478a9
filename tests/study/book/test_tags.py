"""lightnn/study/book/tags.py, running.py and lint.py: how outputs are compared, and what a chapter must have."""

import json
import types

import pytest

from lightnn.study.book import launch, lint, running, tags
from lightnn.study.exercises.sheets import sheets_of


def cell(kind, i, source, text="", tags=(), count=1):
    made = {"cell_type": kind, "id": i, "metadata": {"tags": list(tags)} if tags else {}, "source": source}
    if kind == "code":
        outputs = [{"output_type": "stream", "name": "stdout", "text": text}] if text else []
        made |= {"execution_count": count, "outputs": outputs}
    return made


ASK = "**Predict, then run.** Which?"
ANSWER = "<details><summary>Answer</summary>\n\nThis.\n\n</details>"
END = "## Table (논문과 비교)\n\n## Limits (한계)\n\n## Exercises (연습 문제)\n\nimage/png\n\n"
REMEMBER = "## Five lines to remember (기억할 것)\n\n" + "- this\n" * 5 + "\n## What is next (다음)\n\nMore."
DOES = "study.show(f)\nstudy.turn(g)\nstudy.show_exercises('04')\nstudy.result('run')"
LINKS = "[notes](../chapters/notes.md) [04](04_pruning.ipynb#here)"
GOOD = [
    cell("markdown", "title", "# 04 · Pruning (가지치기)\n\n> **초록.** 짧은 글."),
    cell("markdown", "body", f"## Equation (수식)\n\n$$ x $$\n\n{LINKS}"),
    cell("code", "show", DOES, "42\n"),
    cell("markdown", "end", END),
    cell("markdown", "remember", REMEMBER),
]
for i in range(4):
    GOOD += [cell("markdown", f"ask-{i}", ASK), cell("code", f"run-{i}", "x"), cell("markdown", f"answer-{i}", ANSWER)]
for each in sheets_of("04"):
    task = f"**Exercise {each.number}** · `{each.name}` · easy.\n\n`python -m lightnn check {each.number}`"
    GOOD.append(cell("markdown", each.name, task))


@pytest.fixture
def chapters(monkeypatch, tmp_path):
    """A checkout with one good chapter; call it with other cells to change that."""
    folder = tmp_path / "chapters"
    (folder / "results").mkdir(parents=True)
    (folder / "notes.md").write_text("notes")
    (folder / "results" / "run.json").write_text(json.dumps({"command": "c", "seed": 0, "machine": {}}))
    monkeypatch.setattr(launch, "ROOT", tmp_path)
    monkeypatch.setattr(launch, "CHAPTERS", folder)

    def write(*cells, name="04_pruning.ipynb"):
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        document = {"cells": list(cells), "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
        (folder / name).write_text(json.dumps(document, ensure_ascii=False))
        return folder / name

    write(*GOOD)
    return write


def test_a_good_chapter_has_nothing_to_complain_of(chapters):
    said = []
    assert lint.lint_chapters(said.append) == 0 and said == ["1 chapters, 0 complaints"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ((0, "# 04 · Pruning"), "want the first cell to begin '# 04 · Title (한국어)'"),
        ((0, "# 05 · Pruning (가지치기)\n초록"), "want the first cell to begin '# 04"),
        ((0, "# 04 · Pruning (가지치기)"), "the first cell has no Korean abstract"),
        ((1, "## Equation\n\n$$ x $$"), "the heading '## Equation' has no Korean term"),
        ((1, "no formula"), "it lacks an equation ($$)"),
        ((1, "$$ [there](gone.md)"), "the link gone.md leads nowhere"),
        ((1, "$$ [notes](notes.md)"), "the link notes.md leads nowhere from work/: want ../chapters/notes.md"),
        ((1, "$$ /home/me/data"), "an absolute path: /home/"),
        ((2, "data.load_fashion_mnist()"), "it needs data that is not shipped: load_fashion_mnist()"),
        ((2, "study.turn(g)\nstudy.show_exercises('04')"), "it lacks a reference shown by its source"),
        ((2, "study.show(f)\nstudy.show_exercises('04')"), "it lacks a slider"),
        ((2, "study.show(f)\nstudy.turn(g)"), "it lacks a table of its exercises"),
        ((2, "study.show(f)\nstudy.result('gone')"), "the result gone does not exist"),
        ((2, "class Net:\n    pass"), "cell show defines Net: library code belongs to lightnn/"),
        ((2, "def f():\n" + "    pass\n" * 20), "cell show defines f"),
        ((1, "$$ 12 bytes"), "cell body: the numbers 12 have no source"),
        ((1, "$$ faster than that"), "cell body: no claims cell checks 'faster than'"),
        ((2, "x = '" + "x" * 90 + "'"), "cell show: a line of 96 columns"),
        ((4, "## Five lines to remember (기억할 것)"), "want the headings"),
        ((5, "no question"), "want at least 4 cells with"),
        ((3, "## Exercises (연습 문제) 논문과 비교 image/png"), "it lacks a heading 한계"),
        ((3, "## 한계 연습 문제 논문과 비교"), "it lacks a picture"),
    ],
)
def test_what_is_missing_is_named(chapters, change, complaint):
    at, source = change
    path = chapters(*[dict(c, source=source) if i == at else c for i, c in enumerate(GOOD)])
    assert any(complaint in found for found in lint.complaints(path)), lint.complaints(path)


def test_cells_must_be_executed_without_error_and_have_lasting_ids(chapters):
    bad = [
        dict(GOOD[2], id="a1b2c3d4"),
        dict(GOOD[2], id="show", execution_count=None),
        dict(GOOD[2], id="show", outputs=[{"output_type": "error", "ename": "E", "evalue": "", "traceback": []}]),
    ]
    found = lint.complaints(chapters(GOOD[0], *bad, *GOOD[3:]))
    for want in (
        "a descriptive cell id, got 'a1b2c3d4'",
        "two cells have the id show",
        "not executed",
        "ends in an error",
    ):
        assert any(want in line for line in found)


def test_a_result_must_say_how_it_was_made(chapters):
    path = launch.CHAPTERS / "results" / "run.json"
    path.write_text(json.dumps({"command": "c", "machine": {}}))
    assert lint.complaints(launch.chapter("04")) == ["the result run lacks seed"]


def test_a_large_chapter_is_too_large(chapters):
    path = chapters(*GOOD, cell("markdown", "large", "x" * 500_001))
    assert any("want at most 500,000 bytes, got" in found for found in lint.complaints(path))


@pytest.mark.parametrize(
    ("want", "got", "tag", "differs"),
    [
        ("a 1\nb 2\n", "a 1\nb 2\n", "same", False),
        ("a 1\n", "a 2\n", "same", True),
        ("a 1\n", "a 1\nb\n", "same", True),
        ("error 1.42 %\n", "error 1.61 %\n", "near:0.2", False),
        ("error 1.42 %\n", "error 1.63 %\n", "near:0.2", True),
        ("error 1.42 %\n", "loss 1.42 %\n", "near:0.2", True),
        ("  10 bytes\n", "1,010 bytes\n", "near:2000", False),
        ("19,900 bytes\n", "20,100 bytes\n", "near:5%", False),
        ("19,900 bytes\n", "22,100 bytes\n", "near:5%", True),
        ("-3\n", "3\n", "near:1", True),
    ],
)
def test_outputs_are_compared_as_their_tag_says(want, got, tag, differs):
    assert bool(tags._differs(want, got, tag)) == differs


@pytest.mark.parametrize("tag", ["near", "near:x", "near:5 %", "sameness"])
def test_a_tag_that_is_none_is_named(tag):
    with pytest.raises(ValueError, match=r"want the tag same, near:0\.5 or near:5%, got"):
        tags.rule(types.SimpleNamespace(metadata={"tags": [tag]}, get=lambda key: "x"))


@pytest.mark.thorough
@pytest.mark.filterwarnings("default")  # of Jupyter's own
def test_executing_compares_and_leaves_the_chapter_alone_unless_told_to_write(chapters):
    pytest.importorskip("nbclient")
    path = chapters(
        cell("code", "right", "print(6 * 7)", "42\n", ["same"]),
        cell("code", "wrong", "print(41)", "42\n", ["same"]),
        cell("code", "untagged", "print(40)", "42\n"),
    )
    before, said = path.read_bytes(), []
    assert running.execute_and_compare("04", say=said.append) == 1
    assert "2 tagged cells, 1 differ" in said[0] and said[1] == "  cell wrong (same): want '42', got '41'"
    assert path.read_bytes() == before
    assert running.execute_and_compare("04", write=True, say=said.append) == 0
    assert running.execute_and_compare("04", say=said.append) == 0
