"""The parts of a lesson: predictions and their answers, exercises where they arise, what to remember, readable code."""

import re

from lightnn.study.book.prose import plain
from lightnn.study.exercises.sheets import chapters, sheets_of

WIDEST = 88  # columns of the code that a reader sees
PREDICT = "**Predict, then run.**"
REMEMBER, NEXT = "## Five lines to remember (기억할 것)", "## What is next (다음)"
RELATIVE = re.compile(r"""["'](?:(?:\.\./)?chapters/)?results/""")


def complaints_about_lesson(cells, number: str) -> list[str]:
    """What chapter `number` lacks as a lesson."""
    found = [f"cell {c['id']}: {line}" for c in cells if c["cell_type"] == "code" for line in _code(c)]
    found += _predictions(cells, {"00": 0, "01": 2}.get(number, 4))
    found += _exercises(cells, number)
    return found + (_remember(cells) if number != "00" else [])


def _source(cell):
    return "".join(cell["source"])


def _code(cell):
    folded, source = bool(cell["metadata"].get("jupyter", {}).get("source_hidden")), _source(cell)
    long = [line for line in source.splitlines() if len(line) > WIDEST]
    found = [f"a line of {len(long[0])} columns, want at most {WIDEST}"] if long and not folded else []
    if "plot" in cell["metadata"].get("tags", []) and not folded:
        found.append("it only draws (tag plot), but its input is not folded")
    if RELATIVE.search(source):
        found.append("a relative path of results/: want study.result(name), for chapters run as copies elsewhere")
    return found


def _predictions(cells, least):
    """Each prediction is followed by a run and by its answer, folded, before the next one."""
    at = [i for i, c in enumerate(cells) if c["cell_type"] == "markdown" and PREDICT in _source(c)]
    found = [] if len(at) >= least else [f"want at least {least} cells with {PREDICT!r}, got {len(at)}"]
    for i, end in zip(at, [*at[1:], len(cells)]):
        kinds = ["answer" if _is_answer(c) else c["cell_type"] for c in cells[i + 1 : end]]
        if "answer" not in kinds:
            found.append(f"cell {cells[i]['id']}: no folded answer follows (<details><summary>Answer</summary>)")
        elif "code" not in kinds[: kinds.index("answer")]:
            found.append(f"cell {cells[i]['id']}: nothing is run between the question and its answer")
    return found


def _is_answer(cell):
    folded = re.search(r"<details>\s*<summary>Answer.*</details>", _source(cell), re.S)
    return cell["cell_type"] == "markdown" and folded is not None


def _exercises(cells, number):
    """Each exercise stands in a text of its own, where its idea arises."""
    texts = [_source(c) for c in cells if c["cell_type"] == "markdown"]
    found = []
    for sheet in sheets_of(number) if number in chapters() else ():
        mine = [text for text in texts if text.startswith(f"**Exercise {sheet.number}**")]
        if not mine:
            found.append(f"no text begins with '**Exercise {sheet.number}**' (`{sheet.name}`)")
        elif f"python -m lightnn check {sheet.number}" not in mine[0] or f"`{sheet.name}`" not in mine[0]:
            found.append(f"exercise {sheet.number}: want `{sheet.name}` and `python -m lightnn check {sheet.number}`")
    return found


def _remember(cells):
    text = "\n".join(_source(c) for c in cells if c["cell_type"] == "markdown")
    if f"{REMEMBER}\n" not in text or NEXT not in text.partition(REMEMBER)[2]:
        return [f"want the headings {REMEMBER!r} and {NEXT!r}, in this order"]
    between = text.partition(REMEMBER)[2].partition(NEXT)[0]
    items = [line for line in between.splitlines() if line.startswith("- ") and plain(line[2:]).strip()]
    return [] if len(items) == 5 else [f"want exactly five items to remember, got {len(items)}"]
