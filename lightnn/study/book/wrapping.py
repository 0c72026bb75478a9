"""Breaks the long lines of a source for the page of a chapter, which is narrower than an editor."""

import io
import tokenize

WIDTH = 88
FILLED = 120  # the width to which the sources are filled: a shorter line ends its paragraph
RANK = {",": 0, "for": 0, "if": 0, "else": 0, "and": 0, "or": 0, "+": 1, "-": 1, "*": 2, "/": 2, "@": 2, "&": 2}
RANK |= dict.fromkeys("([{", 5)  # the least of them is the best place to break
FSTRING = tuple(getattr(tokenize, name, -1) for name in ("FSTRING_START", "FSTRING_END"))  # from Python 3.12 on


def wrapped(source: str, width: int = WIDTH) -> str:
    """The source with its lines broken at `width` where Python allows it: within brackets, in docstrings, at comments.

    It still means the same, but for the spaces within docstrings. A line without such a place stays long."""
    lines, breaks, texts = source.splitlines(), *_places(source)
    made, carried = [], ""
    for row, line in enumerate(lines, 1):
        if row in texts or line.lstrip().startswith("#"):
            follows = row + 1 in texts and row in texts and _continues(line, lines[row])
            pieces, carried = _fill(line, carried, width, follows)
            made += pieces
        else:
            made += _break(line, breaks.get(row, []), width)
    return "\n".join(made) + "\n"


def _places(source):
    """({row: [(column, badness)] where a line may be broken}, the rows of docstrings). A comment has badness -1."""
    breaks, texts, depth, inside, targets = {}, set(), 0, 0, False
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        (row, start), (last, end) = token.start, token.end
        inside += (token.type == FSTRING[0]) - (token.type == FSTRING[1])
        if token.type == tokenize.STRING and (last > row or token.line.lstrip().startswith('"""')):
            texts |= set(range(row, last + 1))
        depth += (token.string in {"(", "[", "{"}) - (token.string in {")", "]", "}"})
        if depth and not inside and not (targets and token.string == ",") and token.string in RANK:
            column = end if token.string in ",([{" else start
            breaks.setdefault(row, []).append((column, 10 * depth + RANK[token.string]))
        targets = token.string == "for" or (targets and token.string != "in")
        if token.type == tokenize.COMMENT:
            breaks.setdefault(row, []).append((start, -1))
    return breaks, texts


def _indent(line):
    return line[: len(line) - len(line.lstrip())]


def _continues(line, following):
    """Whether the paragraph that fills `line` goes on in the next line of a docstring."""
    words = following.split()
    same = _indent(line) == _indent(following) and words and not words[0].startswith('"""')
    return bool(same) and len(line) + 1 + len(words[0]) > FILLED


def _fill(line, carried, width, follows):
    """(the pieces of a line of text, after what the line before has left over; what is left for the next)."""
    indent = _indent(line)
    hanging = indent + ("# " if line.lstrip().startswith("#") else "")
    rest = indent + (carried + " " if carried else "") + line.lstrip()
    pieces = []
    while len(rest) > width and " " in rest[len(hanging) : width + 1].strip():
        at = rest.rindex(" ", len(hanging) + 1, width + 1)
        pieces.append(rest[:at].rstrip())
        rest = hanging + rest[at:].lstrip()
    if follows and (pieces or carried):
        return pieces, rest.strip().removeprefix("# ")
    return [*pieces, rest], ""


def _break(line, places, width):
    """The pieces of a line of code; a comment at its end moves above it."""
    indent = _indent(line)
    comment = [column for column, bad in places if bad < 0]
    if comment and len(line) > width:
        text, line = line[comment[0] :], line[: comment[0]].rstrip()
        return [*_fill(indent + text, "", width, False)[0], *_break(line, [p for p in places if p[1] > 0], width)]
    pieces, start = [], 0
    further = indent + (" " * 8 if line.endswith(":") else " " * 4)
    while len(line) - start + (len(further) if start else 0) > width:
        reach = start + width - (len(further) if start else 0)
        fits = [(bad, c) for c, bad in places if start + len(indent) + 12 < c <= reach]
        good = [(bad, -c) for bad, c in fits if c - start > width // 3] or [(bad, -c) for bad, c in fits]
        if not good:
            break
        at = -min(good)[1]
        pieces.append((further if start else "") + line[start:at].rstrip())
        start = at + len(line[at:]) - len(line[at:].lstrip())
    return [*pieces, (further if start else "") + line[start:]]
