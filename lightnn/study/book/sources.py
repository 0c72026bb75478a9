"""What a chapter shows of the library: a reference function's source, and the table of the chapter's exercises."""

import inspect
import pathlib
from collections.abc import Callable

from lightnn.files import ROOT
from lightnn.study.exercises.sheets import sheet, sheets_of


def show(fn: Callable) -> None:
    """Display the source of a lightnn function or class: the code that runs, with a link to its file.

    For an exercise, also its number and equation. Needs IPython."""
    from IPython.display import Code, Markdown, display

    number = getattr(fn, "exercise", None)
    fn = inspect.unwrap(fn)
    lines, first = inspect.getsourcelines(fn)
    lines = [line for line in lines if not line.startswith("@exercise(")]
    path = pathlib.Path(inspect.getsourcefile(fn)).relative_to(ROOT).as_posix()
    head = f"[`{path}`](../{path}), line {first}"
    if number is not None:
        head += f" · exercise {number} · `{sheet(number).equation}`"
    display(Markdown(head), Code("".join(lines), language="python"))


def show_exercises(chapter: str) -> None:
    """Display the chapter's exercises as a table: number, function, title, level, number of hints."""
    from IPython.display import Markdown, display

    rows = [f"| {s.number} | `{s.name}` | {s.title} | {s.level} | {len(s.hints)} |" for s in sheets_of(chapter)]
    display(Markdown("\n".join(["| | function | | | hints |", "|---|---|---|---|---|", *rows])))
