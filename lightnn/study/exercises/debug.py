"""`python -m lightnn check NN.M --debug`: the failing call, to paste, and a debugger that stands at its first line."""

import inspect
import pdb
import sys
from typing import TextIO

from lightnn import exercise
from lightnn.study.exercises import cases, checking, report, solutions
from lightnn.study.exercises.sheets import exercise_number, sheet


def debug(number: str, folder: str | None = None, out: TextIO = sys.stdout, debugger: pdb.Pdb | None = None) -> int:
    """Grade exercise `number`; if it is wrong, make the failing call under the debugger. 0 if it passed, else 1."""
    number = exercise_number(number)
    if "." not in number:
        raise ValueError(f"--debug: want one exercise, such as {number}.1; got {number}")
    s = sheet(number)
    (verdict,) = checking.grade_work([s], folder)
    print("\n".join(report.exercise_report(verdict, s, report.Style(out))), file=out)
    if verdict["status"] != "WRONG":
        return 0 if verdict["status"] == "PASSED" else 1
    chapter = number.partition(".")[0]
    solution = solutions.load(checking.file_of(chapter, folder), chapter, number)[number]
    if solution.fn is None or verdict["case"] is None:
        return 1
    case = cases.cases_of(number)[verdict["case"]]
    place = next((i for i in range(len(case.calls)) if case.text(i) == verdict["call"]), 0)
    args, options = cases.arguments(number, case)[place]
    print(f"\n{case.text(place)}\n\nn: next line, p x: print x, c: go on, q: quit", file=out, flush=True)
    with exercise.grading(number, exercise.refuse):
        _stopping_inside(debugger or pdb.Pdb(), solution.fn).runcall(solution.fn, *args, **options)
    return 1


def _stopping_inside(debugger, fn):
    """The debugger, set to stop at the first line of the reader's function, below `op` and other decorators."""
    if inspect.unwrap(fn) is fn:  # the debugger stops there by itself
        return debugger
    code = inspect.unwrap(fn).__code__
    lines = sorted({line for _, _, line in code.co_lines() if line})
    debugger.set_break(code.co_filename, lines[min(1, len(lines) - 1)], temporary=True)
    debugger.rcLines.append("continue")
    return debugger
