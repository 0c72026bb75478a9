"""lightnn/study/book/cites.py: numbers have sources, comparisons have assertions. Each rule kept and broken."""

import json

import pytest

from lightnn.study.book.cites import complaints_about_comparisons, complaints_about_numbers
from lightnn.study.book.lint import _Cell

RUN = {"command": "c", "seed": 0, "machine": {}, "error": {"a/b": 0.01184, "list": [1066643, 27.25]}, "text": "x"}


def text(source, cites=None, name="text", **more):
    metadata = {"lightnn": {"cites": cites}} if cites is not None else {}
    return _Cell(cell_type="markdown", id=name, metadata=metadata, source=source)


def code(name, source="", printed="", tags=(), **metadata):
    outputs = [{"output_type": "stream", "name": "stdout", "text": printed.splitlines(keepends=True)}]
    return _Cell(cell_type="code", id=name, metadata={"tags": list(tags), **metadata}, source=source, outputs=outputs)


PRINTS = code("size", printed="file 19,932 bytes\nerror 1.29 %\n", tags=["near:5%"])
LIVE = code("live", printed="1.39 times, 12 ms\n")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "run.json").write_text(json.dumps(RUN))
    return tmp_path


@pytest.mark.parametrize(
    ("source", "cites"),
    [
        ("no numbers in LeNet-5", None),
        ("19,932 bytes, an error of 1.29 %", ["size"]),
        ("19932 bytes", ["size"]),
        ("an error of 1.18 %", ["results/run.json#/error/a~1b"]),
        ("an error of 1.2 % and 0.012", ["results/run.json#/error/a~1b"]),
        ("1,066,643 bytes, 1.07 MB", ["results/run.json#/error/list/0"]),
        ("1,066,643 bytes and 1.29 %", ["results/run.json#/error/list/0", "size"]),
        ("an error of 1.58 % (arXiv 1510.00149)", ["arXiv 1510.00149 table 1"]),
        ("1.58 % against 1.29 % (arXiv 1510.00149)", ["arXiv 1510.00149 table 1", "size"]),
        ("codes of 5 bits (Huffman 1952)", ["Huffman 1952"]),
        ("9배 (서베이)", ["survey section 2"]),
        ("4 bytes each", ["by definition"]),
    ],
)
def test_numbers_with_their_source(folder, source, cites):
    assert complaints_about_numbers([PRINTS, LIVE, text(source, cites)], folder) == []


@pytest.mark.parametrize(
    ("source", "cites", "complaint"),
    [
        ("19,932 bytes", None, "cell text: the numbers 19932 have no source; it cites nothing"),
        ("19,932 bytes and 1.3 %", ["size"], "the numbers 1.3 have no source"),
        ("it has 20,000", ["size"], "cites size, which has none of its numbers"),
        ("nothing", ["size"], "cites size, which has none of its numbers"),
        ("12 ms", ["live"], "cites the cell live, which is not tagged"),
        ("1.19 %", ["results/run.json#/error/a~1b"], "the numbers 1.19 have no source"),
        ("1.18", ["results/run.json#/error/a~1b"], "the numbers 1.18 have no source"),
        ("5", ["results/gone.json#/x"], "there is no such file"),
        ("5", ["results/run.json#/error/gone"], "the file has no 'gone' there"),
        ("5", ["results/run.json#/error"], "which is no number"),
        ("5", ["results/run.json"], "want a cell's id, results/NAME.json#/key"),
        ("5", ["arXiv 1510.00149"], "which the chapter does not name"),
        ("5", ["Huffman 1952"], "which the chapter does not name"),
        ("5", ["survey section 2"], "which the chapter does not name"),
        ("5", ["it is known"], "got 'it is known'"),
        ("1.39 times", ["by definition"], "the number 1.39 is printed by the cell live: tag that cell and cite it"),
        ("<details>\n\n7 of them\n\n</details>", None, "the numbers 7 have no source"),
    ],
)
def test_numbers_without_a_source(folder, source, cites, complaint):
    found = complaints_about_numbers([PRINTS, LIVE, text(source, cites)], folder)
    assert any(complaint in line for line in found), found


def claims(source="assert 1 < 2, 'one is less than two'", checks=("text",), hidden=True, kind="code"):
    metadata = {"jupyter": {"source_hidden": hidden}, "lightnn": {"checks": list(checks)}}
    return _Cell(code("asserted", source, tags=["claims"], **metadata), cell_type=kind)


@pytest.mark.parametrize(
    "cells",
    [
        [text("It is light.")],
        [text("It is smaller than that."), claims()],
        [text("It is smaller than that."), claims("a = 1\nassert a < 2, 'less'\nassert a > 0, 'more'")],
        [text("It is faster than that."), claims("study.timed(1 < 2, 'faster')")],
        [text("They find it smaller than that.", ["arXiv 1510.00149 table 1"])],
        [text("Two are more than one.", ["by argument"])],
    ],
)
def test_comparisons_that_are_asserted(cells):
    assert complaints_about_comparisons(cells) == []


@pytest.mark.parametrize(
    ("cells", "complaint"),
    [
        ([text("It is smaller than that.")], "cell text: no claims cell checks 'smaller than'"),
        ([text("It is smaller than that."), claims(checks=["other"])], "checks other, which is no text"),
        ([text("It is smaller than that.", ["by definition"])], "no claims cell checks"),
        ([text("x"), claims(hidden=False)], "claims cell asserted: its input is not folded"),
        ([text("x"), claims(checks=[])], "it lists no text that it checks"),
        ([text("x"), claims("a = 1")], "it asserts nothing"),
        ([text("x"), claims("assert 1 < 2")], "line 1 does not say what it asserts"),
        ([text("x"), claims("study.timed(1 < 2)")], "line 1 does not say what it asserts"),
        ([text("x"), claims("assert 1, 'a'\nprint(1)")], "line 2 is neither an assertion nor an assignment"),
        ([text("x"), claims(kind="markdown")], "only a code cell can be tagged claims"),
    ],
)
def test_comparisons_that_are_not(cells, complaint):
    found = complaints_about_comparisons(cells)
    assert any(complaint in line for line in found), found
