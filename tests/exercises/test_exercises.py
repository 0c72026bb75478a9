"""One test for each exercise: plain, it grades the reference against results worked out by hand; with `--impl work`,
the reader's function (lightnn/study/exercises/plugin.py). The cases are beside it, in chNN.py."""

import pytest

from lightnn.study.exercises.sheets import chapters, sheets_of

NUMBERS = [
    pytest.param(s.number, marks=getattr(pytest.mark, f"ch{chapter}"), id=f"{s.number}-{s.name}")
    for chapter in chapters()
    for s in sheets_of(chapter)
]


@pytest.mark.parametrize("number", NUMBERS)
def test_exercise(number, exercise):
    exercise(number)
