"""What a chapter shows of the library: a reference function's source, committed results, the table of exercises."""

import html
import inspect
import json
import pathlib
import textwrap
from collections.abc import Callable

from lightnn.files import ROOT
from lightnn.study.book.wrapping import wrapped
from lightnn.study.exercises.sheets import sheet, sheets_of


def show(fn: Callable) -> None:
    """Display the source of a lightnn function or class, folded: the code that runs, with a link to its file.

    For an exercise, also its number and equation. Long lines are broken. Needs IPython."""
    from IPython.display import Markdown, display

    number = getattr(fn, "exercise", None)
    fn = inspect.unwrap(fn)
    lines, first = inspect.getsourcelines(fn)
    source = wrapped(textwrap.dedent("".join(line for line in lines if not line.lstrip().startswith("@exercise("))))
    path = pathlib.Path(inspect.getsourcefile(fn)).relative_to(ROOT).as_posix()
    head = f'<a href="../{path}">{path}</a>, line {first}'
    if number is not None:
        head += f" · exercise {number} · <code>{html.escape(sheet(number).equation)}</code>"
    fence = "````" if "```" in source else "```"
    code = f"{fence}python\n{source}{fence}"
    display(Markdown(f"<details><summary>{head}</summary>\n\n{code}\n\n</details>"))


def result(name: str) -> dict:
    """The committed result chapters/results/NAME.json. ValueError lists the results there are."""
    folder = ROOT / "chapters" / "results"
    path = folder / f"{name}.json"
    if path.parent != folder or not path.is_file():
        raise ValueError(f"no result {name}; there are {', '.join(sorted(p.stem for p in folder.glob('*.json')))}")
    return json.loads(path.read_text(encoding="utf-8"))


def show_exercises(chapter: str) -> None:
    """Display the chapter's exercises as a table: number, function, title, level, number of hints."""
    from IPython.display import Markdown, display

    rows = [f"| {s.number} | `{s.name}` | {s.title} | {s.level} | {len(s.hints)} |" for s in sheets_of(chapter)]
    display(Markdown("\n".join(["| | function | | | hints |", "|---|---|---|---|---|", *rows])))
