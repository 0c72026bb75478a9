"""The exercises are tested: references pass, stubs fail, known mistakes are rejected by name, other right solutions
pass, other wrong ones don't, and neither do nearly all small changes that a machine can think of."""

import re

import pytest

from lightnn.exercise import REGISTRY, reference_of
from lightnn.files import ROOT
from lightnn.study.exercises import dispatch, known, mutate, report, solutions, stubs
from lightnn.study.exercises.cases import arguments, cases_of
from lightnn.study.exercises.sheets import chapters, sheet, sheets_of

ALL = [s for chapter in chapters() for s in sheets_of(chapter)]
BY_NUMBER = pytest.mark.parametrize("s", ALL, ids=lambda s: s.number)
A_THIRD = pytest.mark.parametrize(
    "s",
    [pytest.param(s, marks=pytest.mark.thorough if i % 3 else ()) for i, s in enumerate(ALL)],
    ids=lambda s: s.number,
)
EQUIVALENT = {  # changes that give another function's text, but the same function
    ("03.1", "change constant: 1  ->  2"): "NumPy takes any negative length as the one to work out",
    ("03.5", "change constant: 1  ->  2"): "likewise",
    ("03.7", "swap axes"): "the two are sorted",
    ("04.5", "line 29: change constant: 1  ->  0"): "0 / 0 is replaced by np.where; it only warns",
    ("04.6", "line 15: change constant: 1  ->  2"): "two symbols get 1 bit each from the loop as well",
    ("05.5", "dy * T  ->  T"): "the loss is one number, whose dL/dL is 1",
    ("05.6", "b.shape[0] >= 0"): "NumPy refuses to work out a length of no images, too",
    ("05.6", "line 20: change constant: 1  ->  2"): "NumPy works out any negative length",
    ("05.6", "2 * dy  ->  2"): "the loss is one number, whose dL/dL is 1",
    ("05.7", "line 16: change constant: 1  ->  2"): "NumPy works out any negative length",
    ("05.7", "line 17: change constant: 1  ->  2"): "likewise",
    ("05.7", "line 20: swap comparison"): "at |t| = 1 both forms of h are 1 / 2",
    ("05.7", "dy * np.clip(t, -1, 1)  ->  np.clip"): "the loss is one number, whose dL/dL is 1",
    ("05.7", "dist > LEAST  ->  dist >= LEAST"): "no distance is LEAST",
    ("05.7", "line 25: change constant: 0  ->  1"): "an image that pulls at its own place moves nothing",
    ("06.3", "line 15: change constant: 1  ->  2"): "NumPy works out any negative length",
    ("06.8", "change constant: True  ->  False"): "pinv takes another way to the same result",
    ("06.8", "line 14: change constant: 1  ->  0"): "0 / 0 is replaced by np.where; it only warns",
    ("06.9", "swap axes: (c[m] + e, c[m] - e)"): "-e is as likely as e",
    ("07.5", "Y[1:] <= 0  ->  Y[1:] < 0"): "the step that ends at 0 is set to its place anyway",
    ("07.5", "line 17: change constant: 0  ->  1"): "likewise: only the step above 0 ends at 1",
    ("14.2", "latency <= target  ->  latency < target"): "where both are equal, 1 to any power is 1",
    ("14.4", "change constant: 1  ->  2"): "0 divided by 2 is 0, too",
    ("11.2", "drop sign: -(-size // stride)"): "it is squared",
    ("11.6", "line 13: change constant"): "NumPy does not add sums over the two axes of such an array either",
    ("08.4", "change constant: 1  ->  2"): "the range ends before BINS + 2 as well as before BINS + 1",
    ("08.6", "swap axes"): "a product is the same either way round",
    ("08.7", "x < 0  ->  x <= 0"): "0 has no remainder",
    ("08.7", "change constant: 0  ->  1"): "likewise: x < 1 differs from x < 0 for 0 alone",
    ("08.8", "line 16: change constant: 1  ->  2"): "a row of zeros has the levels 0, whatever it is divided by",
    (
        "08.8",
        "line 17: change constant: 1  ->  2",
    ): "|v| / norm is above 1 by a rounding error at most, and s cuts it off",
    ("08.9", "line 19: change constant: 1  ->  0"): "0 / 0 is replaced by np.where; it only warns",
    ("09.2", "change constant: 1  ->  2"): "NumPy works out any negative length; two zeros are as good as one",
    ("09.3", "swap comparison"): "a draw that is exactly the probability comes once in millions",
    ("09.3", "change constant: 1  ->  2"): "a draw is below 1 anyway",
    ("09.5", "alpha / signs_of(W)"): "a sign is its own inverse",
    ("09.6", "-2 * dy / t"): "likewise",
    ("09.6", "-2 * dy  ->  -2"): "the loss is one number, whose dL/dL is 1",
    ("09.7", "scales[-1] / signs_of(R)"): "a sign is its own inverse",
    ("09.10", "swap axes"): "a mean over two axes has no order",
    ("09.11", "line 19: change constant"): "what is below -2^31 is clipped to it",
    ("09.11", "gamma < 0  ->  gamma <= 0"): "gamma = 0 is decided before",
    ("15.6", "line 18"): "what leaves in further cycles is of rows that y does not have",
    ("15.6", "line 19: change constant: 0.0  ->  1.0"): "it meets weights of 0, or leaves when nothing is read",
    ("16.2", "1000000000.0  ->  1000000001.0"): "a billion and one: too near",
    ("16.5", "swap axes"): "both must hold",
    ("16.6", "swap axes"): "tau is the same either way round",
    ("16.6", "line 15: change constant: 1  ->  0"): "a network and itself are equal: no pair is counted",
    ("10.4", "q * s + v.dtype.type(0)"): "+ 0 only turns -0 into 0, which is equal",
    ("12.4", "top < bottom  ->  top <= bottom"): "an empty slice moves nothing",
    ("12.4", "left < right  ->  left <= right"): "an empty slice moves nothing",
    ("13.4", "swap axes"): "a mean over two axes has no order",
    ("13.5", "line 13: change constant: 1  ->  2"): "NumPy works out any negative length",
    ("13.5", "change constant: 0  ->  1"): "at p = 1 no branch is kept, whatever it is multiplied by",
    ("04.7", "line 14: change constant: 0  ->  1"): "a weight of 0 then gives -inf, which is clipped to 0",
}


def test_every_exercise_has_a_sheet_and_every_sheet_an_exercise():
    assert [s.number for s in ALL] == sorted(REGISTRY, key=lambda n: tuple(map(int, n.split("."))))
    for chapter in chapters():
        assert len(sheets_of(chapter)) >= 6
        levels = [("easy", "middle", "hard").index(s.level) for s in sheets_of(chapter)]
        assert levels == sorted(levels)


@BY_NUMBER
def test_a_sheet_has_what_a_reader_needs(s):
    assert s.title and s.equation and len(s.hints) >= 3 and len(s.mistakes) >= 3
    assert s is sheet(s.number)
    assert not any("test" in hint for hint in s.hints)
    source = solutions.source_of(s.number)
    for mistake in s.mistakes:
        assert source.count(mistake.old) == 1, mistake.text


@BY_NUMBER
def test_what_is_graded_is_stated_in_the_docstring(s):
    stated = " ".join(reference_of(s.number).__doc__.split())
    for case in cases_of(s.number):
        assert " ".join(case.says.split()) in stated, case.says


@BY_NUMBER
def test_the_first_case_is_small_and_worked_out_by_hand(s):
    first = cases_of(s.number)[0]
    assert first.want and "rng" not in first.setup and len(first.text()) < 300


@pytest.mark.thorough
@BY_NUMBER
def test_a_case_can_be_pasted_below_the_stubs(s):
    """Everything that a case mentions is in the file that a reader starts from."""
    chapter = s.number.partition(".")[0]
    for case in cases_of(s.number):
        space = {}
        exec(stubs.HEAD.format(chapter=chapter) + stubs.imports(sheets_of(chapter)), space)
        space |= {fn.__name__: fn for number, fn in REGISTRY.items() if number.startswith(f"{chapter}.")}
        exec(case.setup, space)
        space[s.name] = lambda *args, **options: None
        for call in case.calls:
            eval(call, space)
        assert len(arguments(s.number, case)) == len(case.calls)


@A_THIRD
def test_the_reference_passes_and_the_stub_fails(s):
    tasks = [{"name": "reference", "number": s.number}, {"name": "stub", "number": s.number, "stub": True}]
    reference, stub = dispatch.run(tasks)
    assert reference["status"] == "PASSED", reference
    assert stub["status"] == "WRONG" and f"{s.number} is yours to write" in stub["got"]


@pytest.mark.thorough
@BY_NUMBER
def test_a_known_mistake_is_rejected_by_its_name(s):
    for verdict in known.grade_mistakes(s):
        assert verdict["status"] == "WRONG", verdict["name"]
        assert verdict["likely"] == verdict["name"], verdict


@A_THIRD
def test_other_right_solutions_pass(s):
    verdicts = list(known.grade_known("right", s.number))
    assert len(verdicts) >= 2
    for verdict in verdicts:
        assert verdict["status"] == "PASSED", verdict


@pytest.mark.thorough
@BY_NUMBER
def test_other_wrong_solutions_are_rejected_and_what_is_called_likely_is_true(s):
    verdicts = list(known.grade_known("wrong", s.number))
    assert verdicts
    for verdict in verdicts:
        assert verdict["status"] == "WRONG", verdict["name"]
        lines = report.exercise_report(verdict, s, report.Style(None))
        pasted = set(verdict["call"].splitlines())
        assert all(len(line) <= report.WIDTH for line in lines if line[16:] not in pasted)
        assert not verdict["likely"] or known.is_likely_true(verdict), verdict


@pytest.mark.thorough
@BY_NUMBER
def test_nine_of_ten_small_changes_are_noticed_and_the_rest_are_explained(s):
    made = list(mutate.mutants(solutions.source_of(s.number)))
    tasks = [{"name": what, "number": s.number, "source": text, "seconds": 2} for what, text in made]
    passed = [v["name"] for v in dispatch.run(tasks) if v["status"] == "PASSED"]
    known = [what for number, what in EQUIVALENT if number == s.number]
    assert not [name for name in passed if not any(what in name for what in known)]
    assert len(passed) <= max(2, 0.1 * len(tasks))


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
    with pytest.raises(ValueError, match=f"chapter 01 has no exercises; there are {', '.join(chapters())}"):
        sheets_of("1")
    with pytest.raises(ValueError, match=r"no exercise 04.77; there are 04.1, 04.2"):
        sheet("4.77")


def test_the_listed_solutions_are_those_of_known_exercises():
    for kind in ("right", "wrong"):
        for path in sorted((ROOT / "tests" / "exercises" / kind).glob("ch*.py")):
            numbers = set(re.findall(r"^# (\d\d\.\d+): ", path.read_text(encoding="utf-8"), re.M))
            assert numbers == {s.number for s in sheets_of(path.stem.removeprefix("ch"))}
