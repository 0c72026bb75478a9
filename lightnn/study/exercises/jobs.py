"""What is graded and what comes out: Job and Verdict; and the limits within which a reader's function runs."""

import contextlib
import inspect
import signal
import threading
from dataclasses import dataclass

from lightnn import exercise
from lightnn.study.exercises import solutions

SECONDS = 10  # for one test of a reader's function


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
    """A test of a reader's function takes too long."""


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


@contextlib.contextmanager
def others(job):
    """While one of the reader's functions is graded, the others in its file are replaced by the references, so that one
    failure does not cause another."""
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
