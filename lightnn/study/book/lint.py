"""`python -m lightnn book lint`: what every chapter must have, checked without running it."""

import ast
import json
import re

from lightnn.study.book import launch
from lightnn.study.book.cites import complaints_about_comparisons, complaints_about_numbers
from lightnn.study.book.lesson import complaints_about_lesson
from lightnn.study.book.tags import rule

LARGEST = 500_000  # bytes of a notebook
LONGEST = 16  # lines of a function in a cell: longer ones belong to the library
HANGUL = re.compile(r"[가-힣]")
NOT_SHIPPED = re.compile(r"load_(fashion_mnist|cifar10)\(")
MACHINE = re.compile(r"(?<![\w.])(/home/|/root/|/Users/|/work/|/tmp/|[A-Z]:\\)")
PARTS = {  # what a chapter about techniques must contain, and how to recognise it
    "an equation ($$)": lambda t, c: "$$" in t,
    "a reference shown by its source (study.show)": lambda t, c: "study.show(" in c,
    "a heading 논문과 비교 with the paper's table": lambda t, c: _heading(t, "논문과 비교"),
    "a heading 한계 on what goes wrong": lambda t, c: _heading(t, "한계"),
    "a heading 연습 문제 with exercises": lambda t, c: _heading(t, "연습 문제"),
    "a slider (study.turn)": lambda t, c: "study.turn(" in c,
    "a table of its exercises (study.show_exercises)": lambda t, c: "study.show_exercises(" in c,
}


def _heading(text, word):
    return re.search(rf"^#+ .*{word}", text, re.M) is not None


def lint_chapters(say=print) -> int:
    """Check the form of all chapters; report each complaint in a line, and return their number."""
    count = 0
    for number in launch.numbers():
        path = launch.chapter(number)
        for complaint in complaints(path):
            count += 1
            say(f"{path.name}: {complaint}")
    say(f"{len(launch.numbers())} chapters, {count} complaints")
    return count


def complaints(path) -> list[str]:
    """What is wrong with one notebook file."""
    raw = path.read_bytes()
    cells = [_Cell(cell) for cell in json.loads(raw)["cells"]]
    text = "\n".join(_source(c) for c in cells if c["cell_type"] == "markdown")
    code = "\n".join(_source(c) for c in cells if c["cell_type"] == "code")
    found = _first_cell(_source(cells[0]), path.name[:2])
    found += [
        f"the heading {h!r} has no Korean term" for h in re.findall(r"^#+ .*$", text, re.M) if not HANGUL.search(h)
    ]
    found += [f"want at most {LARGEST:,} bytes, got {len(raw):,}"] if len(raw) > LARGEST else []
    found += [f"an absolute path: {m.group()}" for m in MACHINE.finditer(text + code + _outputs(cells))]
    found += [f"it needs data that is not shipped: {m.group()})" for m in NOT_SHIPPED.finditer(code)]
    if int(path.name[:2]) >= 2:
        found += [f"it lacks {what}" for what, has in PARTS.items() if not has(text, code)]
        found += [] if "image/png" in raw.decode() else ["it lacks a picture"]
    found += _cells(cells) + _results(code, path.parent) + _links(text, path.parent)
    found += complaints_about_lesson(cells, path.name[:2])
    return found + complaints_about_numbers(cells, path.parent) + complaints_about_comparisons(cells)


def _source(cell):
    return "".join(cell["source"])


def _outputs(cells):
    return "".join("".join(o.get("text", "")) for c in cells for o in c.get("outputs", []))


def _first_cell(source, number):
    title = re.match(rf"# {number} · .+\(.*[가-힣].*\)", source)
    found = [] if title else [f"want the first cell to begin '# {number} · Title (한국어)'"]
    return found + ([] if "초록" in source else ["the first cell has no Korean abstract (초록)"])


def _cells(cells):
    """Stable ids, every cell executed without an error, no library code."""
    found, ids = [], [c.get("id", "") for c in cells]
    found += [f"two cells have the id {i}" for i in set(ids) if ids.count(i) > 1]
    found += [f"want a descriptive cell id, got {i!r}" for i in ids if re.fullmatch(r"[0-9a-f-]{8,36}|", i)]
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        rule(cell)
        found += [f"cell {cell['id']} was not executed"] if not cell.get("execution_count") else []
        found += [f"cell {cell['id']} ends in an error" for o in cell["outputs"] if o["output_type"] == "error"]
        for node in ast.parse(_source(cell)).body:
            long = isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= LONGEST
            if long or isinstance(node, ast.ClassDef):
                found.append(f"cell {cell['id']} defines {node.name}: library code belongs to lightnn/")
    return found


class _Cell(dict):
    """A cell with the attributes of nbformat's cells that tags.py reads."""

    metadata = property(lambda self: self["metadata"])
    outputs = property(lambda self: [_Cell(output, text="".join(output.get("text", ""))) for output in self["outputs"]])
    output_type = property(lambda self: self["output_type"])


def _results(code, folder):
    """Every committed result that a cell reads must exist and say how it was made."""
    found = []
    for name in sorted(set(re.findall(r"study\.result\(\s*[\"']([^\"']+)[\"']", code))):
        path = folder / "results" / f"{name}.json"
        if not path.is_file():
            found.append(f"the result {name} does not exist")
            continue
        missing = {"command", "seed", "machine"} - json.loads(path.read_text(encoding="utf-8")).keys()
        found += [f"the result {name} lacks {what}" for what in sorted(missing)]
    return found


def _links(text, folder):
    """Every link to a file of the repository must lead somewhere, also from a copy of the chapter in work/."""
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    local = [link.partition("#")[0] for link in links if "://" not in link and not link.startswith("#")]
    found = [f"the link {link} leads nowhere" for link in local if not (folder / link).exists()]
    near = [link for link in local if not link.startswith("../") and not re.fullmatch(r"\d\d_\w+\.ipynb", link)]
    return found + [f"the link {link} leads nowhere from work/: want ../chapters/{link}" for link in near]
