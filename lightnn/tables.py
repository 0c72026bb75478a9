"""A table in a terminal and in a notebook: what Trace, Plan, Held, FileReport and other reports print as."""

import html


class Tabular:
    """A report that prints as a table: a subclass has `table() -> (caption, head, rows)`, all texts or numbers.

    In a terminal it is aligned text, the first column to the left and the others to the right; in Jupyter an HTML
    table. Integers get thousands separators. A caption or head that is empty is left out."""

    def table(self):
        raise NotImplementedError(f"{type(self).__name__} has no table()")

    def __str__(self):
        return text_table(*self.table())

    def _repr_html_(self):
        return html_table(*self.table())


def text_table(caption, head, rows):
    """The table as lines of text, without spaces at their ends."""
    cells = [[_shown(c) for c in row] for row in ([head] if head else []) + list(rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["  ".join([f"{r[0]:<{widths[0]}}", *(f"{c:>{w}}" for c, w in zip(r[1:], widths[1:]))]) for r in cells]
    return "\n".join([caption] * bool(caption) + [line.rstrip() for line in lines])


def html_table(caption, head, rows):
    """The table as HTML, its texts escaped."""

    def row(cells, tag):
        shown = [html.escape(_shown(c)) for c in cells]
        sides = ["left"] + ["right"] * (len(shown) - 1)
        inside = (f'<{tag} style="text-align:{side}">{c}</{tag}>' for c, side in zip(shown, sides))
        return f"<tr>{''.join(inside)}</tr>"

    top = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    first = f"<thead>{row(head, 'th')}</thead>" if head else ""
    body = "".join(row(r, "td") for r in rows)
    return f"<table>{top}{first}<tbody>{body}</tbody></table>"


def _shown(cell):
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)
