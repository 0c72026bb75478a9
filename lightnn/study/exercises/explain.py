"""Why a solution is wrong: the call, the expected and the actual result, where they differ, and which known mistake
gives the same result.

The tests' calls were recorded; here they are repeated, with the reference and with the reader's function.
"""

import inspect
import traceback

from lightnn import exercise
from lightnn.study.exercises import compare, solutions
from lightnn.study.exercises.jobs import TooSlow, others, time_limit
from lightnn.study.exercises.sheets import sheet


def explain_failure(verdict, job, recorder, error):
    """Add to the verdict the call, what was expected, what came, and the likely mistake."""
    verdict.problem = "; ".join(filter(None, [job.problem, _short(error, job)]))
    own = isinstance(error, exercise.CallsTheReference | TooSlow) or "in place" in str(error)
    if own:
        return
    reference = exercise.REGISTRY[job.number]
    with others(job):
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
    """The error in one line, with the line of the reader's file where it was raised."""
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
    with others(job), time_limit(job.seconds):
        got = [compare.outcome(job.fn, *case) for case in cases]
    for mistake in sheet(job.number).mistakes:
        fn = solutions.from_source(job.number, source.replace(mistake.old, mistake.new))
        if all(compare.difference(g, compare.outcome(fn, *case)) is None for g, case in zip(got, cases)):
            return mistake.text
    return ""
