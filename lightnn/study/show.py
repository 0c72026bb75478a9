"""Showing a reference function in a chapter: the source that runs, not a copy of it."""

import inspect
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]


def show(fn):
    """Display the source of a lightnn function or class, with a link to its file. Needs IPython."""
    from IPython.display import Code, Markdown, display

    fn = inspect.unwrap(fn)
    lines, first = inspect.getsourcelines(fn)
    path = pathlib.Path(inspect.getsourcefile(fn)).relative_to(ROOT).as_posix()
    display(Markdown(f"[`{path}`](../{path}), line {first}"), Code("".join(lines), language="python"))
