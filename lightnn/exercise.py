"""Exercises: `@exercise("04.5")` marks a reference function that the reader can write as an exercise.

The function works as before, but every call goes through a switch: while an exercise is being graded, the reader's
function runs in place of the reference, in the library and in the tests. The texts of an
exercise (its equation, hints, known mistakes) are in `lightnn/study/exercises/sheets`.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator

REGISTRY = {}  # number: the switch, which callers know by the function's name
_graded = {}  # number: the function that runs instead of the reference


class CallsTheReference(Exception):
    """A solution calls the reference that it should replace."""


def exercise(number: str) -> Callable[[Callable], Callable]:
    """Register the function under `number`, such as "04.5" (chapter, place), and return the switch."""

    def register(reference):
        if number in REGISTRY:
            raise ValueError(f"exercise: {number} is {REGISTRY[number].__name__} already")

        @functools.wraps(reference)
        def switch(*args, **options):
            own = _graded.get(number)
            return reference(*args, **options) if own is None else own(*args, **options)

        switch.exercise = number
        REGISTRY[number] = switch
        return switch

    return register


def reference_of(number: str) -> Callable:
    """The reference as it stands in its file, without the switch and `op`."""
    return inspect.unwrap(REGISTRY[number])


@contextlib.contextmanager
def grading(number: str, own: Callable) -> Iterator[None]:
    """Within this context `own` runs for exercise `number`. A call of the reference itself, by any name, raises
    CallsTheReference."""
    reference = reference_of(number)
    code = reference.__code__
    reference.__code__ = refuse.__code__
    reference.__globals__["CallsTheReference"] = CallsTheReference
    _graded[number] = own
    try:
        yield
    finally:
        del _graded[number], reference.__globals__["CallsTheReference"]
        reference.__code__ = code


def refuse(*args, **options):
    """What stands in a reference's place while a solution of it is graded."""
    raise CallsTheReference("it calls the reference, which it should replace")
