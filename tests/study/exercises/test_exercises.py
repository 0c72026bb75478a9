"""The exercises are tested: references pass, stubs fail, known mistakes are rejected by name, and so are nearly all
small changes that a machine can think of."""

import pytest

from lightnn.exercise import REGISTRY
from lightnn.study.exercises import dispatch, mutate, solutions
from lightnn.study.exercises.sheets import chapters, sheet, sheets_of

ALL = [s for chapter in chapters() for s in sheets_of(chapter)]
EQUIVALENT = {  # changes that give another function's text, but the same function
    ("03.1", "1  ->  2"): "NumPy takes any negative length as the one to work out",
    ("03.5", "1  ->  2"): "likewise",
    ("03.7", "(root(parent, i), root(parent, k))  ->"): "the two are sorted",
    ("04.5", "100  ->  101"): "Lloyd's iterations have long come to rest",
    ("04.6", "1  ->  2"): "two symbols get one bit each by either branch; and any flattening of the counts will do",
    ("04.6", "(counts + 1) // 2  ->  (counts + 1) * 2"): "another way to flatten the counts, as good as halving",
    ("12.4", "top < bottom  ->  top <= bottom"): "an empty slice moves nothing",
    ("12.4", "left < right  ->  left <= right"): "an empty slice moves nothing",
}


def task(s, name, **how):
    return {"name": f"{s.number} {name}", "number": s.number, **how}


def changed(s, mistake):
    return solutions.source_of(s.number).replace(mistake.old, mistake.new)


@pytest.fixture(scope="module")
def verdicts():
    """{name: verdict} of every reference, stub and known mistake, graded in one process."""
    tasks = [task(s, "reference") for s in ALL] + [task(s, "stub", stub=True) for s in ALL]
    tasks += [task(s, m.text, source=changed(s, m)) for s in ALL for m in s.mistakes]
    return {v["name"]: v for v in dispatch.run(tasks)}


def test_every_exercise_has_a_sheet_and_every_sheet_an_exercise():
    assert [s.number for s in ALL] == sorted(REGISTRY, key=lambda n: tuple(map(int, n.split("."))))
    for chapter in chapters():
        assert len(sheets_of(chapter)) >= 6
        levels = [("easy", "middle", "hard").index(s.level) for s in sheets_of(chapter)]
        assert levels == sorted(levels)


@pytest.mark.parametrize("s", ALL, ids=lambda s: s.number)
def test_a_sheet_has_what_a_reader_needs(s):
    assert s.title and s.equation and len(s.hints) >= 3 and len(s.mistakes) >= 3
    assert s is sheet(s.number)
    source = solutions.source_of(s.number)
    for mistake in s.mistakes:
        assert source.count(mistake.old) == 1, mistake.text


@pytest.mark.parametrize("s", ALL, ids=lambda s: s.number)
def test_the_reference_passes_and_the_stub_fails(s, verdicts):
    assert verdicts[f"{s.number} reference"]["status"] == "PASSED"
    stub = verdicts[f"{s.number} stub"]
    assert stub["status"] == "WRONG" and stub["tests"] >= 2
    assert f"{s.number} is yours to write" in stub["problem"]


@pytest.mark.parametrize(
    ("s", "mistake"), [(s, m) for s in ALL for m in s.mistakes], ids=lambda x: getattr(x, "number", "")
)
def test_a_known_mistake_is_rejected_by_its_name(s, mistake, verdicts):
    verdict = verdicts[f"{s.number} {mistake.text}"]
    assert verdict["status"] == "WRONG"
    assert verdict["likely"] == mistake.text


def test_nine_of_ten_small_changes_are_noticed_and_the_rest_are_explained():
    made = [(s, what, text) for s in ALL for what, text in mutate.mutants(solutions.source_of(s.number))]
    tasks = [task(s, what, source=text, seconds=2) for s, what, text in made]  # two of them never end
    passed = [v for v in dispatch.run(tasks) if v["status"] == "PASSED"]
    assert len(passed) <= 0.1 * len(tasks)
    unexplained = [
        v["name"] for v in passed if not any(v["number"] == n and what in v["name"] for n, what in EQUIVALENT)
    ]
    assert not unexplained


@pytest.mark.parametrize(
    ("source", "want"),
    [
        ("def f(a, b):\n    return a + b\n", {"a - b", "a", "b"}),
        ("def f(a):\n    'a + b'\n    return a < 1\n", {"a <= 1", "a < 2", "a < 0"}),
        ("def f(a):\n    raise ValueError(a + 1)\n", set()),
        ("def f(a):\n    return g(a, (0, 1))\n", {"g(a, (1, 0))", "g(a, (1, 1))", "g(a, (0, 2))", "g(a, (0, 0))"}),
    ],
)
def test_the_mutator_makes_the_changes_that_it_should(source, want):
    made = {text.splitlines()[-1].removeprefix("    return ") for _, text in mutate.mutants(source)}
    assert made == want


def test_an_unknown_exercise_is_named():
    with pytest.raises(ValueError, match="chapter 05 has no exercises; there are 02, 03, 04, 12"):
        sheets_of("5")
    with pytest.raises(ValueError, match=r"no exercise 04.77; there are 04.1, 04.2"):
        sheet("04.77")
