"""Compares two runs of a chapter. A cell's tag says how closely what it prints must agree:

    same          to the letter: counts, bytes, tables read from committed results
    near:0.5      the same words, and numbers that differ by at most 0.5 (accuracies in %, which depend on how a
                  processor rounds)
    near:5%       the same, but by at most 5 % of the committed number

Times are never compared. An untagged cell only has to run.
"""

import re

NUMBER = re.compile(r"-?\d[\d,]*\.?\d*")


def rule(cell) -> str | None:
    """The cell's tag for comparing, or None. ValueError for one that is misspelled."""
    for tag in cell.metadata.get("tags", []):
        if tag == "same" or re.fullmatch(r"near:\d+(\.\d+)?%?", tag):
            return tag
        if tag.startswith(("same", "near")):
            raise ValueError(f"cell {cell.get('id')}: want the tag same, near:0.5 or near:5%, got {tag}")
    return None


def differences(before, after) -> list[str]:
    """What differs between the tagged cells of two runs of one chapter, a line for each cell."""
    ran = {cell["id"]: cell for cell in after.cells}
    found = []
    for cell in before.cells:
        tag = rule(cell) if cell.cell_type == "code" else None
        if tag:
            difference = _differs(printed(cell), printed(ran[cell["id"]]), tag)
            found += [f"cell {cell['id']} ({tag}): {difference}"] if difference else []
    return found


def printed(cell) -> str:
    """What a cell printed, without its figures."""
    return "".join(o.get("text", "") for o in cell.outputs if o.output_type == "stream")


def _differs(want, got, tag):
    """The first line in which they disagree, or None."""
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
