"""Grading: run an exercise's own unit tests, those of `tests/`, on a function that stands in for the reference.

`Grader` is a pytest plugin. It collects the tests marked with the exercises once and then runs them for one job after
the other, in one process: the reader's functions, or stubs, or hundreds of mutants. A job ends at the first test that
fails, and the calls recorded until then tell what was expected and got (compare.py).
"""

import contextlib
import inspect
import signal
import threading
import traceback
from dataclasses import dataclass

import pytest
from _pytest.runner import runtestprotocol

from lightnn import exercise
from lightnn.study import compare, solutions
from lightnn.study.launch import ROOT
from lightnn.study.sheets import sheet

SECONDS = 10  # for one test of a reader's function
REMEMBERED = 60  # calls


@dataclass
class Job:
    """One function to grade. fn None with a problem: it could not be loaded."""

    name: str
    number: str
    fn: object = None
    problem: str = ""
    where: str = ""
    seconds: float = SECONDS  # for one test


@dataclass
class Verdict:
    """PASSED, WRONG or NOT STARTED, and for WRONG what a reader needs to know."""

    name: str
    number: str
    status: str
    where: str = ""
    tests: int = 0
    test: str = ""
    call: str = ""
    what: str = ""
    expected: str = ""
    got: str = ""
    index: str = ""
    likely: str = ""
    problem: str = ""


class TooSlow(Exception):
    """A test of a reader's function that does not end."""


@contextlib.contextmanager
def time_limit(seconds):
    """Raise TooSlow in the main thread after `seconds`, where the system has such a signal (elsewhere the parent
    process watches)."""
    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_):
        raise TooSlow(f"it does not end: stopped after {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Recorder:
    """Calls `fn`, remembers with what, and refuses a change of an argument in place."""

    def __init__(self, fn):
        self.fn, self.calls, self.count, self.inside = fn, [], 0, 0

    def __call__(self, *args, **options):
        if self.inside > 50:
            raise exercise.CallsTheReference("it calls the reference, by the library's name, which it should replace")
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
    """pytest plugin: run `jobs` on the collected tests; `say` gets a Verdict after each, and a name before."""

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
        for job in self.jobs:
            self.begin(job)
            items = [item for item in session.items if job.number in numbers_of(item)]
            self.say(self.grade(job, items))
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
            with exercise.grading(job.number, recorder), _others(job):
                error = self._run(item, job.seconds)
            if error is not None:
                verdict.test = item.nodeid
                _explain(verdict, job, recorder, error)
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


@contextlib.contextmanager
def _others(job):
    """While one of the reader's functions is graded, its neighbours in the file are the reference's: one failure does
    not fail the next."""
    space = getattr(inspect.unwrap(job.fn), "__globals__", {})
    chapter, _, _ = job.number.partition(".")
    mine = {}
    if space.get("__name__") == f"work_ch{chapter}":
        for number, name in solutions.names(chapter).items():
            if number != job.number and name in space:
                mine[name], space[name] = space[name], exercise.REGISTRY[number]
    try:
        yield
    finally:
        space.update(mine)


def _explain(verdict, job, recorder, error):
    """Fill in what was called, expected and got, and the likely mistake."""
    verdict.problem = "; ".join(filter(None, [job.problem, _short(error, job)]))
    own = isinstance(error, exercise.CallsTheReference | TooSlow) or "in place" in str(error)
    if own:
        return
    reference = exercise.REGISTRY[job.number]
    with _others(job):
        for args, options in recorder.calls[::-1]:
            names = compare.parameter_names(reference, len(args))
            want = compare.outcome(reference, args, options, names)
            with time_limit(job.seconds):
                got = compare.outcome(job.fn, args, options, names)
            found = compare.difference(want, got)
            if found:
                what, a, b, index = found
                verdict.call, verdict.what = describe_call(job, args, options, names), what
                verdict.expected, verdict.got = compare.brief(a), b if isinstance(b, str) else compare.brief(b)
                if index is not None:
                    verdict.index = f"{_index(index)}: {_number(a, index)}, not {_number(b, index)}"
                verdict.likely = likely(job, recorder.calls)
                return
    verdict.likely = likely(job, recorder.calls)


def _index(index):
    return f"[{', '.join(map(str, index))}]"


def _number(a, index):
    return f"{a[index]:.6g}" if a.dtype.kind == "f" else str(a[index])


def _short(error, job):
    """The error in a line, with the line of the reader's file that it came from."""
    text = str(error).strip().splitlines()
    text = " ".join(line.strip() for line in text[:8] if line.strip())[:160]
    code = getattr(inspect.unwrap(job.fn), "__code__", None)
    at = [f.lineno for f in traceback.extract_tb(error.__traceback__) if code and f.filename == code.co_filename]
    name = "" if isinstance(error, exercise.CallsTheReference | TooSlow) else f"{type(error).__name__}: "
    return name + text + (f" (line {at[-1]})" if at and "work" in job.where else "")


def describe_call(job, args, options, names):
    given = [f"{n}={compare.brief(a, 40)}" for n, a in zip(names, args)]
    given += [f"{n}={compare.brief(v, 40)}" for n, v in options.items()]
    return f"{exercise.REGISTRY[job.number].__name__}({', '.join(given)})"


def likely(job, calls):
    """The sentence of the first known mistake that gives the same as job.fn on every recorded call."""
    reference = exercise.REGISTRY[job.number]
    source = solutions.source_of(job.number)
    cases = [(a, o, compare.parameter_names(reference, len(a))) for a, o in calls]
    with _others(job), time_limit(job.seconds):
        got = [compare.outcome(job.fn, *case) for case in cases]
    for mistake in sheet(job.number).mistakes:
        fn = solutions.from_source(job.number, source.replace(mistake.old, mistake.new))
        if all(compare.difference(g, compare.outcome(fn, *case)) is None for g, case in zip(got, cases)):
            return mistake.text
    return ""


def grade(jobs, say, begin=lambda job: None):
    """Grade all jobs in this process with one run of pytest; `say` is called with each Verdict."""
    grader = Grader(jobs, say, begin)
    options = [
        "-o",
        "addopts=",
        "-q",
        "--import-mode=importlib",
        "-p",
        "lightnn.study.plugin",
        "-p",
        "no:cacheprovider",
    ]
    files = sorted({str(p) for p in (ROOT / "tests").rglob("test_*.py") if _marks(p, {j.number for j in jobs})})
    pytest.main([*options, f"--rootdir={ROOT}", f"--confcutdir={ROOT}", *(files or [str(ROOT / "tests")])], [grader])
    return grader.errors


def _marks(path, numbers):
    text = path.read_text(encoding="utf-8")
    return "exercise(" in text and any(f'"{n}"' in text for n in numbers)
