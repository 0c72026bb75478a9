"""Whether every number in a chapter's prose has its source, and every comparison its assertion.

A Markdown cell whose prose has numbers says where they come from, in its metadata, `"lightnn": {"cites": [...]}`:

    a cell's id                  a code cell tagged `same` or `near:…` that prints the number as it is written
    results/NAME.json#/key/key   a number in a committed result, rounded as it is written; `a~1b` is the key a/b
    arXiv 1510.00149 table 1     a paper that the chapter names; also `Huffman 1952`, `survey section 2`
    by definition                sizes, bits, an example made up in that text

A comparison is asserted by a code cell tagged `claims` that lists the text's id, `"lightnn": {"checks": [...]}`, unless
the text cites a paper, or `by argument`: true by the reasoning in that text. A comparison of times that the chapter
measures is said by `study.timed(holds, claim)` in such a cell (claims.py).
"""

import ast
import json
import re

from lightnn.study.book.prose import comparisons, numbers, printed_numbers
from lightnn.study.book.tags import printed, rule

RESULT = re.compile(r"results/([\w.-]+)\.json#(/.+)")
ARXIV = re.compile(r"arXiv (\d{4}\.\d{4,5})\b.*")
AUTHOR = re.compile(r"([A-Z]\w+)[\w .,&-]*? ((?:19|20)\d\d)\b.*")
SURVEY = re.compile(r"survey\b.*")
WORDS = ("by definition", "by argument")
TIMES = {"%": 100, "KB": 1e-3, "K": 1e-3, "thousand": 1e-3, "MB": 1e-6, "M": 1e-6, "million": 1e-6, "billion": 1e-9}


def complaints_about_numbers(cells, folder) -> list[str]:
    """What is wrong with the numbers in prose, and with what is cited for them. folder: where results/ is."""
    code = {cell["id"]: cell for cell in cells if cell["cell_type"] == "code"}
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = []
    for cell in cells:
        if cell["cell_type"] == "markdown":
            found += [f"cell {cell['id']}: {line}" for line in _of_cell(cell, code, text, folder)]
    return found


def _of_cell(cell, code, text, folder):
    written, cites = numbers("".join(cell["source"])), _cites(cell)
    found, trusted, missing = [], "by definition" in cites, list(written)
    for cite in cites:
        if cite in WORDS:
            continue
        try:
            states = _source_of(cite, code, text, folder)
        except ValueError as error:
            found.append(str(error))
            trusted = True  # one complaint is enough
            continue
        if states is None:
            trusted = True
        elif not any(states(n) for n in written):
            found.append(f"it cites {cite}, which has none of its numbers")
        else:
            missing = [n for n in missing if not states(n)]
    if missing and not trusted:
        shown = ", ".join(dict.fromkeys(n.text for n in missing))
        found.append(f"the numbers {shown} have no source" + ("; it cites nothing" if not cites else ""))
    return found + ([] if not trusted else _live(missing, code))


def _cites(cell):
    return list(cell["metadata"].get("lightnn", {}).get("cites", []))


def _source_of(cite, code, text, folder):
    """A function that says whether the source has a Number; None for a source outside the repository. ValueError."""
    if cite in code:
        return _printed(cite, code[cite])
    if match := RESULT.fullmatch(cite):
        return _in_result(cite, folder / "results" / f"{match[1]}.json", match[2])
    if match := ARXIV.fullmatch(cite):
        named = match[1] in text
    elif match := AUTHOR.fullmatch(cite):
        named = re.search(rf"{match[1]}\b[^\n]*{match[2]}", text) is not None
    elif SURVEY.fullmatch(cite):
        named = re.search("survey|서베이|조사 논문|「모델 경량화 기술」", text) is not None
    else:
        raise ValueError(f"want a cell's id, results/NAME.json#/key, a paper or 'by definition' in cites, got {cite!r}")
    if not named:
        raise ValueError(f"it cites {cite}, which the chapter does not name")
    return None


def _printed(cite, cell):
    if not rule(cell):
        raise ValueError(f"it cites the cell {cite}, which is not tagged same or near")
    there = printed_numbers(printed(cell))
    return lambda number: number.text in there


def _in_result(cite, path, pointer):
    if not path.is_file():
        raise ValueError(f"it cites {cite}, but there is no such file")
    value = json.loads(path.read_text(encoding="utf-8"))
    for key in pointer[1:].split("/"):
        key = key.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            raise ValueError(f"it cites {cite}, but the file has no {key!r} there") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"it cites {cite}, which is no number")
    return lambda number: _rounds_to(value, number)


def _rounds_to(value, number):
    """Whether the value, as it is or in the unit that follows, is the number rounded as written."""
    half = 0.5 * 10.0 ** -len(number.text.partition(".")[2])
    scaled = (abs(value) * times for times in (1, TIMES.get(number.unit, 1)))
    return any(abs(v - float(number.text)) <= half * 1.000001 for v in scaled)


def _live(missing, code):
    """Numbers that are said to come from elsewhere, but are what an untagged cell happened to print."""
    found = []
    for number in missing:
        where = [i for i, c in code.items() if "." in number.text and number.text in printed_numbers(printed(c))]
        if where and not any(rule(code[i]) for i in where):
            found.append(f"the number {number.text} is printed by the cell {where[0]}: tag that cell and cite it")
    return found


def complaints_about_comparisons(cells) -> list[str]:
    """The texts that compare and are not asserted, and what is wrong with the cells that assert."""
    claims = [cell for cell in cells if "claims" in cell["metadata"].get("tags", [])]
    checked = {i for cell in claims for i in cell["metadata"].get("lightnn", {}).get("checks", [])}
    texts = {cell["id"]: cell for cell in cells if cell["cell_type"] == "markdown"}
    found = [f"a claims cell checks {i}, which is no text of the chapter" for i in sorted(checked - texts.keys())]
    for name, cell in texts.items():
        said = comparisons("".join(cell["source"]))
        argued = any(c == "by argument" or _names_a_paper(c) for c in _cites(cell))
        if said and name not in checked and not argued:
            found.append(f"cell {name}: no claims cell checks {', '.join(map(repr, dict.fromkeys(said)))}")
    return found + [line for cell in claims for line in _claims(cell)]


def _names_a_paper(cite):
    return any(pattern.fullmatch(cite) for pattern in (ARXIV, AUTHOR, SURVEY))


def _claims(cell):
    """A claims cell is folded, and made of assertions that say what the prose says, and of assignments for them."""
    if cell["cell_type"] != "code":
        return [f"cell {cell['id']}: only a code cell can be tagged claims"]
    body = ast.parse("".join(cell["source"])).body
    asserts = [node for node in body if isinstance(node, ast.Assert) or _is_timed(node)]
    found = [] if cell["metadata"].get("jupyter", {}).get("source_hidden") else ["its input is not folded"]
    found += [] if cell["metadata"].get("lightnn", {}).get("checks") else ["it lists no text that it checks"]
    found += [] if asserts else ["it asserts nothing"]
    found += [f"line {node.lineno} does not say what it asserts" for node in asserts if not _is_said(node)]
    others = [node for node in body if node not in asserts and not isinstance(node, ast.Assign)]
    found += [f"line {node.lineno} is neither an assertion nor an assignment" for node in others]
    return [f"claims cell {cell['id']}: {line}" for line in found]


def _is_timed(node):
    return isinstance(node, ast.Expr) and ast.unparse(node).startswith("study.timed(")


def _is_said(node):
    return node.msg is not None if isinstance(node, ast.Assert) else len(node.value.args) == 2
