"""Exercises: `@exercise("04.5")` marks a reference function as one that the reader may write anew.

The function stays what it was. Its name, wherever the library or a test calls it, now goes through a switch: for the
one exercise that is being graded, the reader's function runs instead, and what ran is written down. The texts of an
exercise (its equation, hints, known mistakes) are in `lightnn/study/exercises/sheets`.
"""

import contextlib
import functools
import inspect

REGISTRY = {}  # number: the switch, which is the name that callers see
_graded = {}  # number: the function that runs instead of the reference


class CallsTheReference(Exception):
    """A solution that calls what it should replace."""


def exercise(number):
    """Register the function under `number`, such as "04.5" (chapter, place), and put the switch in its place."""

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


def reference_of(number):
    """The reference's plain function, as it stands in its file, without switch and `op`."""
    return inspect.unwrap(REGISTRY[number])


@contextlib.contextmanager
def grading(number, own):
    """Within this context `own` runs for exercise `number`, and the reference can't: whoever reaches it, by whatever
    name, gets CallsTheReference."""
    reference = reference_of(number)
    code = reference.__code__
    reference.__code__ = _refuse.__code__
    reference.__globals__["CallsTheReference"] = CallsTheReference
    _graded[number] = own
    try:
        yield
    finally:
        del _graded[number], reference.__globals__["CallsTheReference"]
        reference.__code__ = code


def _refuse(*args, **options):
    raise CallsTheReference("it calls the reference, which it should replace")
