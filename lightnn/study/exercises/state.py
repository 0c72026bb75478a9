"""Which exercises of the reader's file are started, and why one is not: read from its text; nothing in it runs."""

import ast
import difflib
import re

from lightnn.study.exercises.solutions import chunks, names, shown


def state(path, chapter: str) -> dict[str, dict]:
    """{number: {"started", "where": file and line, "why": why it is not started}} of the reader's file."""
    text, file = path.read_text(encoding="utf-8", errors="replace"), shown(path)
    pieces = [(first, chunk) for first, _, chunk in chunks(text)]
    found = {}
    for number, name in names(chapter).items():
        at = [(first + _offset(chunk, name), chunk) for first, chunk in pieces if _defines(chunk, name)]
        line, chunk = at[-1] if at else (None, "")
        why = _why_missing(name, text, set(names(chapter).values())) if not at else ""
        if at and is_stub(chunk, name):
            written = [first for first, other in at[:-1] if not is_stub(other, name)]
            why = f"line {written[-1]} has it, but line {line} replaces it by the stub" if written else "still the stub"
        found[number] = {"started": not why, "where": f"{file}, line {line}" if at else file, "why": why}
    return found


def _defines(chunk, name):
    return re.search(rf"^((async )?def {name}\b|{name}\s*(:[^=]+)?=[^=])", chunk, re.M) is not None


def _offset(chunk, name):
    lines = chunk.splitlines()
    return next((i for i, line in enumerate(lines) if re.match(rf"((async )?def )?{name}\b", line)), 0)


def _why_missing(name, text, known):
    inside = re.search(rf"^[ \t]+def {name}\b", text, re.M)
    if inside:
        line = text[: inside.start()].count("\n") + 1
        return f"line {line} defines {name} inside something else: move it to the left margin"
    others = sorted(set(re.findall(r"^def (\w+)", text, re.M)) - known)
    near = difflib.get_close_matches(name, others, 1)
    return f"there is no {name}" + (f"; did you rename it to {near[0]}?" if near else "")


def is_stub(chunk, name):
    """Whether the function's body is still `raise NotImplementedError`."""
    try:
        body = next(n for n in ast.parse(chunk).body if isinstance(n, ast.FunctionDef) and n.name == name).body
    except (SyntaxError, StopIteration):
        return False
    if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        body = body[1:]
    raised = body[0].exc if len(body) == 1 and isinstance(body[0], ast.Raise) else None
    raised = raised.func if isinstance(raised, ast.Call) else raised
    return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
