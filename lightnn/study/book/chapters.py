"""The chapters as a book that can be run again: `python -m lightnn book execute [NN]`.

Each chapter runs from top to bottom in a new kernel, and what its tagged cells print is compared with what is
committed. A cell's tag says how:

    same          to the letter: counts, bytes, tables read from committed results
    near:0.5      the same words, and numbers that differ by at most 0.5 (accuracies in %, which depend on how a
                  processor rounds)
    near:5%       likewise, at most 5 % of the committed number

Times are never compared. An untagged cell only has to run.
"""

import re
import time

from lightnn.files import write_atomically
from lightnn.study.book import launch

NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


def numbers():
    """The chapters there are: ["00", "04", ...]."""
    return [path.name[:2] for path in sorted(launch.CHAPTERS.glob("[0-9][0-9]_*.ipynb"))]


def execute(chosen=None, *, write=False, say=print):
    """Run the chapters (all, or one) and compare; the number of differences. write: replace the committed notebooks,
    once all cells of one have run, in place of comparing."""
    wrong = 0
    for number in numbers() if chosen is None else [chosen]:
        path = launch.chapter(number)
        start = time.monotonic()
        before, after = _run(path)
        found = [] if write else compare(before, after)
        took = f"{time.monotonic() - start:.0f} s"
        wrong += len(found)
        tagged = sum(bool(rule(cell)) for cell in before.cells)
        state = "written" if write else f"{tagged} tagged cells, {len(found)} differ"
        say(f"{path.name:<32} {took:>6}  {state}")
        for line in found:
            say(f"  {line}")
        target = path if write else launch.ROOT / "work" / "executed" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, (_text(after) + "\n").encode())
    return wrong


def _run(path):
    import nbformat

    before, after = (nbformat.read(path, as_version=4) for _ in range(2))
    launch.run(after)
    return before, after


def _text(notebook):
    import nbformat

    return nbformat.writes(notebook)


def rule(cell):
    """The comparing tag of a cell, or None. ValueError for a tag that is none."""
    for tag in cell.metadata.get("tags", []):
        if tag == "same" or re.fullmatch(r"near:\d+(\.\d+)?%?", tag):
            return tag
        if tag.startswith(("same", "near")):
            raise ValueError(f"cell {cell.get('id')}: want the tag same, near:0.5 or near:5%, got {tag}")
    return None


def compare(before, after):
    """[what differs] between the tagged cells of two runs of one chapter."""
    ran = {cell["id"]: cell for cell in after.cells}
    found = []
    for cell in before.cells:
        tag = rule(cell) if cell.cell_type == "code" else None
        if tag:
            difference = _differs(printed(cell), printed(ran[cell["id"]]), tag)
            found += [f"cell {cell['id']} ({tag}): {difference}"] if difference else []
    return found


def printed(cell):
    """What a cell printed, without its pictures."""
    return "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")


def _differs(want, got, tag):
    """None, or the first line in which they disagree."""
    a, b = want.splitlines(), got.splitlines()
    if len(a) != len(b):
        return f"want {len(a)} lines, got {len(b)}"
    for line, other in zip(a, b, strict=True):
        if line != other and (tag == "same" or not _near(line, other, tag.removeprefix("near:"))):
            return f"want {line.strip()!r}, got {other.strip()!r}"
    return None


def _near(line, other, limit):
    if NUMBER.sub("#", line).split() != NUMBER.sub("#", other).split():
        return False
    relative = limit.endswith("%")
    most = float(limit.rstrip("%")) / (100 if relative else 1)
    pairs = zip(NUMBER.findall(line), NUMBER.findall(other), strict=True)
    values = [(float(x.replace(",", "")), float(y.replace(",", ""))) for x, y in pairs]
    return all(abs(x - y) <= most * (abs(x) if relative else 1) + 1e-12 for x, y in values)
