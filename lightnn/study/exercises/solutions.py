"""Where a solution comes from: the reader's file work/chNN.py, or a source text (a stub, a mutant).

Nothing of the file runs in the process that the reader started: state.py only reads it, and `load` is for the process
that grades. The file is run statement by statement, so that a syntax error in one exercise, or an import that fails,
does not affect the others.
"""

import ast
import inspect
import pathlib
import re
from dataclasses import dataclass

from lightnn.exercise import REGISTRY, reference_of
from lightnn.files import ROOT, WORK


@dataclass
class Solution:
    """A function to grade: `fn`, or the reason why there is none."""

    number: str
    fn: object = None
    problem: str = ""
    where: str = ""  # file and line


def work_file(chapter, folder=None):
    return (WORK if folder is None else pathlib.Path(folder)) / f"ch{chapter}.py"


def shown(path):
    """The path relative to the repository's root."""
    return next((path.relative_to(r).as_posix() for r in (ROOT, WORK.parent) if path.is_relative_to(r)), path.name)


def names(chapter):
    """{number: function name} of a chapter's exercises, in order."""
    found = {n: switch.__name__ for n, switch in REGISTRY.items() if n.partition(".")[0] == chapter}
    return dict(sorted(found.items(), key=lambda item: int(item[0].partition(".")[2])))


def load(path, chapter, graded=None):
    """{number: Solution} of the reader's file for all exercises of the chapter.

    graded: the one exercise to grade: then the reader's other functions give way to the references, so that one failure
    does not cause another."""
    text = path.read_text(encoding="utf-8", errors="replace")
    space = {"__name__": f"work_ch{chapter}", "__file__": str(path)}
    broken = []  # (first line, last line, what went wrong)
    for first, last, chunk in chunks(text):
        try:
            exec(compile("\n" * (first - 1) + chunk, str(path), "exec"), space)
        except BaseException as error:
            line = error.lineno if isinstance(error, SyntaxError) else first
            broken.append((first, last, f"{shown(path)}, line {line}: {type(error).__name__}: {_message(error)}"))
    found = {n: _solution(n, name, text, space, broken, path) for n, name in names(chapter).items()}
    if graded is not None:
        space |= {name: REGISTRY[n] for n, name in names(chapter).items() if n != graded and name in space}
    return found


def _message(error):
    return error.msg if isinstance(error, SyntaxError) else str(error)


def chunks(text):
    """Yield (first line, last line, text) of each top-level statement; if the file does not parse, of what looks like
    one by its indentation."""
    lines = text.splitlines()
    try:
        starts = [min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", ()))]) for n in ast.parse(text).body]
    except SyntaxError:
        starts = _looks_like_statements(lines)
    for first, following in zip(starts, [*starts[1:], len(lines) + 1]):
        yield first, following - 1, "\n".join(lines[first - 1 : following - 1])


def _looks_like_statements(lines):
    begins = re.compile(r"(async def|def|class|import|from|if|for|while|with|try)\b|@|[A-Za-z_][\w.]*\s*=")
    starts = []
    for i, line in enumerate(lines, 1):
        decorated = starts and all(x.startswith("@") for x in lines[starts[-1] - 1 : i - 1])
        if begins.match(line) and not decorated:
            starts.append(i)
    return starts


def _solution(number, name, text, space, broken, path):
    file = shown(path)
    at = next((i + 1 for i, line in enumerate(text.splitlines()) if re.match(rf"def {name}\b", line)), None)
    where = f"{file}, line {at}" if at else file
    own = [what for first, last, what in broken if at and first <= at <= last]
    if own:
        return Solution(number, problem=own[0], where=where)
    fn = space.get(name)
    if fn is None:
        return Solution(number, where=where, problem=f"{file} has no function {name}")
    code = getattr(inspect.unwrap(fn), "__code__", None)
    if code is None or pathlib.Path(code.co_filename) != path or fn is REGISTRY[number]:
        return Solution(number, problem=f"{name} in {file} is not a function written there: it is the reference")
    where = f"{file}, line {code.co_firstlineno if at is None else at}"
    return Solution(number, fn, _common_problem(broken, text), where)


def _common_problem(broken, text):
    """What went wrong outside the functions, such as an import: it may affect any exercise."""
    lines = text.splitlines()
    outside = [what for first, last, what in broken if not any(x.startswith("def ") for x in lines[first - 1 : last])]
    return outside[0] if outside else ""


def stub(number):
    """What stands in a fresh file."""

    def stub(*args, **options):
        raise NotImplementedError(f"{number} is yours to write")

    return stub


def source_of(number):
    """The reference's source without the decorator `exercise`, from its file."""
    lines = inspect.getsource(reference_of(number)).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("@exercise("))


def from_source(number, source):
    """The function that `source`, a changed copy of `source_of(number)`, defines, in the reference's own module."""
    made = {}
    exec(compile(source, f"<{number}>", "exec"), reference_of(number).__globals__, made)
    return made[REGISTRY[number].__name__]
