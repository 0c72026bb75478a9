"""Grades one solution: every case in order, up to the first that goes wrong; then why.

A verdict is PASSED, WRONG or NOT STARTED. For WRONG it has the call to paste, what was expected and what came, the
words of the docstring that the call holds the solution to, and the likely mistake: a known one that differs from the
reference on this call, and gives exactly what the solution gives on this call and on all before it.
"""

import functools
from dataclasses import dataclass

from lightnn.study.exercises import compare, sandbox, solutions
from lightnn.study.exercises.cases import cases_of, namespace
from lightnn.study.exercises.outcome import flat
from lightnn.study.exercises.sheets import sheet

FINALE = 180  # seconds for a chapter's end; the first one compiles kernels
QUICK = 2  # seconds for one call of a known mistake


@dataclass
class Verdict:
    """PASSED, WRONG or NOT STARTED, and for WRONG what a reader needs to know."""

    name: str
    number: str
    status: str
    where: str = ""
    why: str = ""  # why it is not started, or what went wrong beside the result
    cases: int = 0  # how many were right
    case: int | None = None  # the one that was not
    call: str = ""
    what: str = ""
    expected: str = ""
    got: str = ""
    index: str = ""
    says: str = ""
    likely: str = ""
    printed: str = ""


def grade(task: dict) -> Verdict:
    """The verdict on the task's solution (see child.py)."""
    number = task["number"]
    cases = cases_of(number)
    found = {}

    def wrong(case, outcomes):
        if len(outcomes) == len(cases[case].calls):
            found["what"] = _wrong(number, case, outcomes)
        return found.get("what") is not None

    run = sandbox.run(task, list(range(len(cases))), wrong)
    verdict = Verdict(task["name"], number, "WRONG", run.where, run.problem, printed=run.printed)
    if found.get("what") is not None:
        return _explained(verdict, cases, run, found["what"])
    if run.ended:
        return _stopped(verdict, cases, run)
    if len(run.seen) == len(cases):
        verdict.status, verdict.why, verdict.cases = "PASSED", "", len(cases)
    return verdict


def finale(task: dict) -> Verdict:
    """Run the chapter's end on the reader's functions: PASSED with what it says, or WRONG with what went wrong."""
    run = sandbox.run({**task, "seconds": FINALE}, [0])
    status = "PASSED" if run.said else "WRONG"
    return Verdict(task["name"], task["number"], status, why=run.said or run.problem or run.ended, printed=run.printed)


def _wrong(number, case, outcomes):
    """The Difference between a solution's outcomes of one case and what is right, or None.

    What was worked out by hand comes first: so the reference is graded too."""
    made = cases_of(number)[case]
    by_hand = {} if "raises" in outcomes[0] else _by_hand(number, case)
    result = {what: v for what, v in outcomes[0].items() if what.startswith(("result", "type of result"))}
    found = compare.difference(by_hand, result) if by_hand else None
    if found is not None:
        return found
    reference = _reference(number)[case]
    if made.judge is None:
        return next(filter(None, map(compare.difference, reference, outcomes)), None)
    for want, got in zip(reference, outcomes, strict=True):
        if "raises" in got:
            return compare.difference(want, got)
    found = made.judge(outcomes)
    return None if found is None else compare.Difference("result", *found)


@functools.cache
def _by_hand(number, case):
    """The entries of an outcome that the case's `want` says; {} without one."""
    text = cases_of(number)[case].want
    return dict(flat("result", eval(text, namespace(number)))) if text else {}


@functools.cache
def _reference(number):
    """{case: outcomes} of the reference."""
    run = sandbox.run({"number": number}, list(range(len(cases_of(number)))))
    if run.ended or run.problem:
        raise RuntimeError(f"the reference of exercise {number} failed: {run.problem or run.ended}; {run.printed}")
    return run.seen


@functools.cache
def _mistaken(number, mistake, chosen):
    """{case: outcomes} of a known mistake on the chosen cases."""
    source = solutions.source_of(number).replace(mistake.old, mistake.new)
    return sandbox.run({"number": number, "source": source, "seconds": QUICK}, list(chosen)).seen


def _explained(verdict, cases, run, found):
    number, case = verdict.number, max(run.seen)
    verdict.cases, verdict.case = case, case
    different = [compare.difference(a, b) for a, b in zip(_reference(number)[case], run.seen[case], strict=True)]
    if cases[case].judge is not None:  # its calls differ from the reference's as they like, but none may raise
        different = ["raises" in seen for seen in run.seen[case]]
    place = next((i for i, d in enumerate(different) if d), 0)
    verdict.call, verdict.says = cases[case].text(place), cases[case].says
    verdict.what, verdict.expected, verdict.got, verdict.index = found
    verdict.likely = _likely(number, run.seen)
    return verdict


def _likely(number, seen):
    """The sentence of the known mistake that explains what was seen, the last case being the wrong one; or ""."""
    last = max(seen)
    for mistake in sheet(number).mistakes:
        made = _mistaken(number, mistake, (last,))
        if not _agree(number, made, seen, [last]) or _wrong(number, last, made[last]) is None:
            continue
        if last == 0 or _agree(number, _mistaken(number, mistake, tuple(range(last))), seen, range(last)):
            return mistake.text
    return ""


def _agree(number, made, seen, chosen):
    """Whether a mistake and a solution give the same on these cases. The words of a wanted error don't count; nor do
    the results of an earlier case that a judge found right in both."""
    for case in chosen:
        if case not in made or len(made[case]) != len(seen[case]):
            return False
        if case != max(seen) and cases_of(number)[case].judge is not None:
            if _wrong(number, case, made[case]) is not None:
                return False
            continue
        for want, a, b in zip(_reference(number)[case], made[case], seen[case], strict=True):
            wanted = "raises" in want and compare.difference(want, a) is None and compare.difference(want, b) is None
            if not wanted and not compare.same(a, b):
                return False
    return True


def _stopped(verdict, cases, run):
    """A run that a limit ended, or that ended itself."""
    verdict.why = run.ended
    if run.at is not None:
        case, place = run.at
        verdict.cases, verdict.case = case, case
        verdict.call, verdict.says = cases[case].text(place), cases[case].says
        verdict.got = run.ended
    return verdict
