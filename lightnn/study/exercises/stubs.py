"""What the reader starts from: work/chNN.py with the signature and docstring of each exercise's reference.

Stubs are derived from the references, so the two always agree. What a file already contains is never changed; exercises
that it lacks are added at its end.
"""

import ast
import inspect
import pathlib
import re
import textwrap

from lightnn.exercise import reference_of
from lightnn.files import write_atomically
from lightnn.study.exercises import solutions
from lightnn.study.exercises.sheets import sheets_of

WIDTH = 80
HEAD = '''"""Chapter {chapter}: your solutions. `python -m lightnn check {chapter}` grades them.

Write the body of each function; keep its name and arguments. You may add
functions and imports of your own. What a docstring says is what is graded.
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
    """The reference's signature and docstring, at most 80 columns wide, and a body that raises NotImplementedError."""
    source = solutions.source_of(sheet.number)
    function = ast.parse(source).body[0]
    lines = [f"@{ast.unparse(d)}" for d in function.decorator_list] + [_signature(function)]
    doc = ast.get_docstring(function)
    lines += [textwrap.indent(f'"""{_wrapped(doc)}\n"""', "    ")] if doc else []
    body = f'    raise NotImplementedError("{sheet.number} is yours to write")'
    return "\n\n" + "\n".join([f"# {sheet.number}  {sheet.title} ({sheet.level})", *lines, body]) + "\n"


def _signature(function):
    """`def name(arguments) -> type:`, the arguments on lines of their own if it is too long."""
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    parts = f"def {function.name}(", ast.unparse(function.args), f"){returns}:"
    line = "".join(parts)
    return line if len(line) <= WIDTH else f"{parts[0]}\n{textwrap.indent(parts[1], ' ' * 8)}\n{parts[2]}"


def _wrapped(doc):
    """The docstring with its paragraphs filled to the width; lines that are indented, such as equations, stay."""
    paragraphs = []
    for block in re.split(r"\n\s*\n", doc):
        lines = block.splitlines()
        plain = not any(line.startswith((" ", "- ")) for line in lines)
        paragraphs.append(textwrap.fill(" ".join(lines), WIDTH - 7) if plain else block)
    return "\n\n".join(paragraphs)


def imports(exercises):
    """The imports that the references use, each once, sorted, with a word on what comes from the library."""
    plain, library = {"import numpy as np"}, {}
    for sheet in exercises:
        module = inspect.getmodule(reference_of(sheet.number))
        used = {n.id for n in ast.walk(ast.parse(solutions.source_of(sheet.number))) if isinstance(n, ast.Name)}
        graded = {s.name for s in exercises} | {"exercise"}
        for node in ast.parse(inspect.getsource(module)).body:
            for line, name in _imported(node, module.__name__):
                if name in used - graded:
                    if line.startswith("import "):
                        plain.add(line)
                    else:
                        library[line] = _explained(getattr(module, name), name)
    rows = [f"{library[line]}{line}" for line in sorted(library)]
    return "\n".join([*sorted(plain), "", *rows]) + "\n"


def _imported(node, module):
    """[(import statement, name)] for what a statement of the reference's module makes known."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [(_line(node, a), a.asname or a.name) for a in node.names]
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        names = [node.name]
    else:
        names = [t.id for t in node.targets if isinstance(t, ast.Name)] if isinstance(node, ast.Assign) else []
    return [(f"from {module} import {name}", name) for name in names]


def _explained(value, name):
    """Comment lines: the first sentence of its docstring, or a constant's value."""
    doc = inspect.getdoc(value) if callable(value) or inspect.ismodule(value) else None
    sentence = " ".join((doc or "").split("\n\n")[0].split()).partition(". ")[0].rstrip(".:")
    text = f"{name} = {value!r}" if doc is None else f"{name}: {sentence}."
    return textwrap.fill(text, WIDTH, initial_indent="# ", subsequent_indent="#   ") + "\n"


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
