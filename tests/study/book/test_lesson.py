"""lightnn/study/book/lesson.py: what a chapter must have as a lesson. Each rule kept and broken."""

import pytest

from lightnn.study.book.lesson import complaints_about_lesson
from lightnn.study.exercises.sheets import sheets_of


def text(source):
    return {"cell_type": "markdown", "id": "text", "metadata": {}, "source": source}


def code(source="x = 1", tags=(), hidden=False):
    metadata = {"tags": list(tags), "jupyter": {"source_hidden": hidden}}
    return {"cell_type": "code", "id": "code", "metadata": metadata, "source": source}


ASK = [
    text("**Predict, then run.** Which one?"),
    code(),
    text("<details><summary>Answer</summary>\n\nThis one.\n\n</details>"),
]
END = text("## Five lines to remember (기억할 것)\n\n" + "- one line\n" * 5 + "\n## What is next (다음)\n\nMore.")
EXERCISES = [
    text(f"**Exercise {s.number}** · `{s.name}` · easy. Do it.\n\n`python -m lightnn check {s.number}`")
    for s in sheets_of("04")
]
GOOD = [*ASK * 4, *EXERCISES, END]


@pytest.mark.parametrize(
    ("number", "cells"),
    [
        ("04", GOOD),
        ("00", [text("words")]),
        ("01", [*ASK * 2, END]),
        ("77", [*ASK * 4, END]),  # it has no sheets
        ("04", [*GOOD, code("x = '" + "a" * 100 + "'", ["plot"], hidden=True)]),
        ("04", [*GOOD, code("x = '" + "a" * 82 + "'")]),
        ("04", [*GOOD, code("study.result('han2015')")]),
    ],
)
def test_a_lesson(number, cells):
    assert complaints_about_lesson(cells, number) == []


@pytest.mark.parametrize(
    ("number", "cells", "complaint"),
    [
        ("04", [*ASK * 3, *EXERCISES, END], "want at least 4 cells with '**Predict, then run.**', got 3"),
        ("01", [*ASK, END], "want at least 2 cells"),
        ("04", [*GOOD, *ASK[:2]], "cell text: no folded answer follows"),
        ("04", [ASK[0], *GOOD], "no folded answer follows"),
        ("04", [*GOOD, ASK[0], ASK[2]], "nothing is run between the question and its answer"),
        ("04", [*GOOD, *ASK[:2], text("Answer: this one")], "no folded answer follows"),
        ("04", [*ASK * 4, *EXERCISES[1:], END], "no text begins with '**Exercise 04.1**' (`sharing_rate`)"),
        ("04", [*ASK * 4, text("**Exercise 04.1** · do it"), *EXERCISES[1:], END], "want `sharing_rate` and `python"),
        ("01", [*ASK * 2, text("nothing")], "want the headings '## Five lines to remember (기억할 것)'"),
        ("01", [*ASK * 2, text(END["source"].partition("## What")[0])], "'## What is next (다음)', in this order"),
        ("01", [*ASK * 2, text(END["source"].replace("- one line\n", "", 1))], "exactly five items to remember, got 4"),
        ("01", [*ASK * 2, text(END["source"].replace("\n- one", "\n- one\n- one"))], "to remember, got 10"),
        ("04", [*GOOD, code("x = '" + "a" * 83 + "'")], "cell code: a line of 89 columns, want at most 88"),
        ("04", [*GOOD, code("draw()", ["plot"])], "its input is not folded"),
        ("04", [*GOOD, code("open('results/run.json')", hidden=True)], "want study.result(name)"),
        ("04", [*GOOD, code('open("../chapters/results/run.json")')], "want study.result(name)"),
    ],
)
def test_what_is_missing_is_named(number, cells, complaint):
    found = complaints_about_lesson(cells, number)
    assert any(complaint in line for line in found), found
