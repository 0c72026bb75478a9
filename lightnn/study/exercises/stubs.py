"""What the reader starts from: work/chNN.py with the signature and docstring of each exercise's reference.

Stubs are derived from the references, so the two always agree. What a file already contains is never changed; exercises
that it lacks are added at its end.
"""

import ast
import inspect
import pathlib
import textwrap

from lightnn.exercise import reference_of
from lightnn.files import write_atomically
from lightnn.study.exercises import solutions
from lightnn.study.exercises.sheets import sheets_of

HEAD = '''"""Chapter {chapter}: your solutions. `python -m lightnn check {chapter}` grades them, `--hint` helps.

Write the body of each function; keep its name and arguments. You may add functions and imports of your own.
"""

'''


def write_stubs(chapter: str, folder: str | pathlib.Path | None = None) -> tuple[pathlib.Path, list[str]]:
    """Write the chapter's file, or add what it lacks. Returns its path and the numbers that were written."""
    exercises = sheets_of(chapter)
    path = solutions.work_file(chapter, folder)
    have = path.read_text(encoding="utf-8") if path.exists() else ""
    defined = {n.name for n in ast.walk(_parse(have)) if isinstance(n, ast.FunctionDef)}
    defined |= {name for name in solutions.names(chapter).values() if f"def {name}(" in have}
    missing = [s for s in exercises if s.name not in defined]
    if missing:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = "" if have else HEAD.format(chapter=chapter) + imports(exercises)
        text = (have.rstrip("\n") + "\n" if have else "") + fresh + "".join(stub(s) for s in missing)
        write_atomically(path, text.encode())
    return path, [s.number for s in missing]


def _parse(text):
    try:
        return ast.parse(text)
    except SyntaxError:
        return ast.Module([], [])


def stub(sheet):
    """The reference's signature and docstring, and a body that raises NotImplementedError."""
    source = solutions.source_of(sheet.number)
    function = ast.parse(source).body[0]
    lines = source.splitlines()
    first = function.body[0]
    doc = ast.get_docstring(function) is not None
    head = "\n".join(lines[: first.end_lineno if doc else first.lineno - 1])
    body = f'    raise NotImplementedError("{sheet.number} is yours to write")'
    return f"\n\n# {sheet.number}  {sheet.title} ({sheet.level})\n{head}\n{body}\n"


def imports(exercises):
    """The imports that the references use, each once, sorted."""
    lines = {"import numpy as np"}
    for sheet in exercises:
        reference = reference_of(sheet.number)
        tree = ast.parse(inspect.getsource(inspect.getmodule(reference)))
        used = {n.id for n in ast.walk(ast.parse(solutions.source_of(sheet.number))) if isinstance(n, ast.Name)}
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                lines |= {_line(node, a) for a in node.names if (a.asname or a.name) in used and a.name != "exercise"}
        module = reference.__module__
        own = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)} - {s.name for s in exercises}
        constants = {t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)}
        lines |= {f"from {module} import {name}" for name in (own | constants) & used}
    plain = sorted(line for line in lines if line.startswith("import "))
    return "\n".join([*plain, "", *sorted(lines - set(plain))]) + "\n"


def _line(node, alias):
    as_name = f" as {alias.asname}" if alias.asname else ""
    if isinstance(node, ast.Import):
        return f"import {alias.name}{as_name}"
    return f"from {node.module} import {alias.name}{as_name}"


def show_reference(number: str) -> str:
    """The reference's source, with file and line."""
    reference = reference_of(number)
    path = inspect.getsourcefile(reference)
    _, line = inspect.getsourcelines(reference)
    where = f"{path.removeprefix(str(solutions.ROOT) + '/')}, line {line}"
    return f"{where}\n\n{textwrap.dedent(solutions.source_of(number))}"
