"""lightnn/study/book/wrapping.py: long lines are broken and mean the same."""

import ast
import inspect
import pathlib

import pytest

import lightnn
from lightnn.exercise import REGISTRY
from lightnn.study.book.wrapping import wrapped
from lightnn.study.exercises.sheets import chapters, sheets_of


def meaning(source):
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = " ".join(node.value.split())
    return ast.dump(tree)


@pytest.mark.parametrize("folder", ["compress", "functional", "study"])
def test_the_sources_mean_the_same(folder):
    for path in (pathlib.Path(lightnn.__file__).parent / folder).rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert meaning(wrapped(source)) == meaning(source), path


@pytest.mark.parametrize("chapter", chapters())
def test_the_exercises_fit_the_page(chapter):
    for sheet in sheets_of(chapter):
        source = wrapped(inspect.getsource(inspect.unwrap(REGISTRY[sheet.number])))
        long = [line for line in source.splitlines() if len(line) > 88]
        assert all('"' in line or line.lstrip().startswith("if ") for line in long), long


def test_brackets_docstrings_and_comments_are_broken():
    long = f'''def f(x, *, first=1, second=2, third=3):
    """One, two, {"and on " * 14}end.

    last
    """
    y = g(x, first, second, third, first, second, third, first, second, third, first)  # the reason
    return y
'''
    assert (
        wrapped(long, 50)
        == f'''def f(x, *, first=1, second=2, third=3):
    """One, two, {"and on " * 4}and
    {"on and " * 6}on
    {"and on " * 2}and on end.

    last
    """
    # the reason
    y = g(x, first, second, third, first, second,
        third, first, second, third, first)
    return y
'''
    )


def test_a_paragraph_flows_on():
    line = ("word " * 24).strip()
    source = f'"""Head.\n\n{line}\n{line}\n"""\n'
    assert [len(text) for text in wrapped(source).splitlines()] == [8, 0, 84, 84, 69, 3]


@pytest.mark.parametrize(
    "source", ["x = '" + "a" * 120 + "'\n", "x = 1 + 2\n", "f'{a, b}' \n", "a = f(" + "x" * 99 + ")\n"]
)
def test_what_has_no_place_to_break_stays(source):
    assert meaning(wrapped(source)) == meaning(source)
