"""One test for each exercise: plain, it grades the reference against itself and against results worked out by hand; with
`--impl work`, the reader's function (lightnn/study/exercises/plugin.py). The cases are beside it, in chNN.py."""

import pytest

from lightnn.study.exercises import compare, sandbox
from lightnn.study.exercises.cases import cases_of, namespace
from lightnn.study.exercises.outcome import flat
from lightnn.study.exercises.sheets import chapters, sheets_of

NUMBERS = [
    pytest.param(s.number, marks=getattr(pytest.mark, f"ch{chapter}"), id=f"{s.number}-{s.name}")
    for chapter in chapters()
    for s in sheets_of(chapter)
]


@pytest.mark.parametrize("number", NUMBERS)
def test_exercise(number, exercise):
    exercise(number)


@pytest.mark.parametrize("number", NUMBERS)
def test_the_reference_gives_what_was_worked_out_by_hand(number):
    by_hand = {i: case for i, case in enumerate(cases_of(number)) if case.want}
    assert 0 in by_hand, "want the first case of an exercise to be worked out by hand"
    seen = sandbox.run({"number": number}, list(by_hand)).seen
    for i, case in by_hand.items():
        want = dict(flat("result", eval(case.want, namespace(number))))
        got = {what: value for what, value in seen[i][0].items() if what in want or what.startswith("result")}
        assert compare.difference(want, got) is None, case.text()
