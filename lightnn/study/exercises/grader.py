"""Grading: run an exercise's unit tests, those of `tests/`, on a function that takes the reference's place.

`Grader` is a pytest plugin. It collects the tests of the exercises once and runs them for one job after the other, in
one process: the reader's functions, stubs, or hundreds of mutants. A job ends at the first test that fails; the calls
recorded until then show what was expected and what came (explain.py).
"""

import re

import pytest
from _pytest.runner import runtestprotocol

from lightnn import exercise
from lightnn.files import ROOT
from lightnn.study.exercises import compare
from lightnn.study.exercises.explain import explain_failure
from lightnn.study.exercises.jobs import Verdict, others, time_limit

REMEMBERED = 60  # calls


class Recorder:
    """Calls `fn`, records the arguments, and raises if an argument is changed in place."""

    def __init__(self, fn):
        self.fn, self.calls, self.count, self.inside = fn, [], 0, 0

    def __call__(self, *args, **options):
        if self.inside > 50:
            raise exercise.CallsTheReference(
                "it calls the reference, by its name in the library, instead of replacing it"
            )
        self.count += 1
        before = _safely(compare.clone, (args, options))
        if before is not None and len(self.calls) < REMEMBERED:
            self.calls.append(before)
        self.inside += 1
        try:
            result = self.fn(*args, **options)
        finally:
            self.inside -= 1
        if before is not None:
            self._check_arguments(args, before[0])
        return result

    def _check_arguments(self, args, before):
        names = compare.parameter_names(self.fn, len(args))
        for name, now, then in zip(names, args, before):
            changed = isinstance(now, compare.np.ndarray) and compare.difference({name: then}, {name: now})
            if changed:
                raise AssertionError(f"it changed its argument `{name}` in place: {compare.brief(then)} before")


def _safely(fn, *args):
    try:
        return fn(*args)
    except Exception:
        return None


class Grader:
    """pytest plugin: run `jobs` on the collected tests; calls begin(job) before each and say(verdict) after it."""

    def __init__(self, jobs, say, begin=lambda job: None):
        self.jobs, self.say, self.begin, self.errors = jobs, say, begin, []
        self.caught = None

    def pytest_collection_modifyitems(self, session, config, items):
        wanted = {job.number for job in self.jobs}
        items[:] = [item for item in items if wanted & set(numbers_of(item))]

    def pytest_collectreport(self, report):
        if report.failed:
            self.errors.append(str(report.longrepr))

    def pytest_runtestloop(self, session):
        tests = {job.number: [item for item in session.items if job.number in numbers_of(item)] for job in self.jobs}
        for job in self.jobs:
            self.begin(job)
            self.say(self.grade(job, tests[job.number]))
        return True

    def grade(self, job, items):
        verdict = Verdict(job.name, job.number, "WRONG", job.where, len(items), problem=job.problem)
        if job.fn is None:
            return verdict
        if not items:
            verdict.problem = "no test is marked with this exercise" + "".join(f"; {e[:300]}" for e in self.errors)
            return verdict
        recorder = Recorder(job.fn)
        for item in items:
            with exercise.grading(job.number, recorder), others(job):
                error = self._run(item, job.seconds)
            if error is not None:
                verdict.test = item.nodeid
                items.insert(0, items.pop(items.index(item)))  # it is likely to reject the next wrong solution too
                explain_failure(verdict, job, recorder, error)
                return verdict
        if not recorder.count:
            verdict.problem = "its tests never called it"
            return verdict
        verdict.status, verdict.problem = "PASSED", ""
        return verdict

    def _run(self, item, seconds):
        """None, or the exception that the test ended with."""
        self.caught = None
        with time_limit(seconds):
            for report in runtestprotocol(item, log=False, nextitem=None):
                if report.failed:
                    return self.caught or AssertionError(str(report.longrepr))
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
            self.caught = call.excinfo.value


def numbers_of(item):
    """The exercises that a test grades."""
    return [number for mark in item.iter_markers("exercise") for number in mark.args]


def grade(jobs, say, begin=lambda job: None):
    """Grade all jobs in this process with one run of pytest; say(verdict) is called after each. Returns errors."""
    grader = Grader(jobs, say, begin)
    options = [
        "-o",
        "addopts=",
        "-q",
        "--import-mode=importlib",
        "--tb=native",  # nobody reads the tracebacks, and pytest's own take longer than the tests
        "-p",
        "lightnn.study.exercises.plugin",
        "-p",
        "no:cacheprovider",
    ]
    files = sorted({str(p) for p in (ROOT / "tests").rglob("test_*.py") if _marks(p, {j.number for j in jobs})})
    pytest.main([*options, f"--rootdir={ROOT}", f"--confcutdir={ROOT}", *(files or [str(ROOT / "tests")])], [grader])
    return grader.errors


def _marks(path, numbers):
    marks = re.findall(r"mark\.exercise\(([^)]*)\)", path.read_text(encoding="utf-8"))
    return any(f'"{n}"' in arguments for arguments in marks for n in numbers)
