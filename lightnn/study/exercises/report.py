"""What `check` prints: short, in colour on a terminal and plain in a file, at most 80 columns wide."""

import os
import textwrap

WIDTH = 80
COLOUR = {"PASSED": "32", "WRONG": "31", "NOT STARTED": "33", "dim": "2", "bold": "1"}


class Style:
    """Colours words if `out` is a terminal and NO_COLOR is not set."""

    def __init__(self, out):
        self.on = bool(getattr(out, "isatty", lambda: False)()) and "NO_COLOR" not in os.environ

    def __call__(self, kind, text):
        return f"\x1b[{COLOUR[kind]}m{text}\x1b[0m" if self.on else text


def chapter_report(verdicts, chosen, style):
    """A line for each exercise, and for a wrong one what is wrong."""
    lines = []
    for verdict, s in zip(verdicts, chosen, strict=True):
        status = verdict["status"]
        head = f"{s.number:<5} {s.name:<24} {s.level:<7}"
        lines.append(f"{head} {style(status, f'{status:<12}')}{verdict.get('where', '')}".rstrip())
        if status == "WRONG":
            lines += wrong(verdict, s, style)
    passed, wrong_, rest = (sum(v["status"] == k for v in verdicts) for k in ("PASSED", "WRONG", "NOT STARTED"))
    lines += ["", style("bold", f"{passed} passed, {wrong_} wrong, {rest} not started")]
    if passed < len(verdicts):
        number = next(s.number for v, s in zip(verdicts, chosen) if v["status"] != "PASSED")
        lines.append(style("dim", f"a hint for {number}: python -m lightnn check {number} --hint"))
    return "\n".join(lines)


def wrong(verdict, s, style):
    """The lines that explain a verdict WRONG."""
    rows = [
        ("call", verdict.get("call")),
        ("in", verdict.get("what") if verdict.get("what") not in ("", "result") else ""),
        ("expected", verdict.get("expected")),
        ("got", verdict.get("got")),
        ("differs", f"first at {verdict['index']}" if verdict.get("index") else ""),
        ("error", verdict.get("problem") if not verdict.get("expected") else _note(verdict)),
        ("likely", verdict.get("likely")),
        ("equation", s.equation),
        ("test", verdict.get("test")),
    ]
    lines = []
    for name, text in rows:
        if text:
            mark = style("bold", f"{name:<9}") if name == "likely" else f"{name:<9}"
            lines += _wrapped(mark, str(text))
    return lines


def _note(verdict):
    """The problem, unless the lines `expected` and `got` already say it."""
    problem = verdict.get("problem", "")
    return "" if problem.startswith("AssertionError") else problem


def _wrapped(mark, text):
    lines = textwrap.wrap(text, WIDTH - 16, break_long_words=True, break_on_hyphens=False) or [""]
    return [f"      {mark} {lines[0]}", *(f"{'':<16}{line}" for line in lines[1:4])]


def progress_report(rows, style):
    """The book as a table, and what to do next. rows: (chapter, its sheets, their verdicts)."""
    lines = [f"{'chapter':<9}{'done':>6}{'wrong':>7}{'not started':>13}"]
    following = None
    for number, found, verdicts in rows:
        passed, wrong_, rest = (sum(v["status"] == k for v in verdicts) for k in ("PASSED", "WRONG", "NOT STARTED"))
        bar = "#" * passed + "x" * wrong_ + "." * rest
        lines.append(f"{number:<9}{passed:>6}{wrong_:>7}{rest:>13}   {bar}")
        todo = [s for s, v in zip(found, verdicts, strict=True) if v["status"] != "PASSED"]
        following = following or (todo[0] if todo else None)
    lines.append("")
    if following is None:
        lines.append(style("PASSED", "All exercises of the book are done."))
    else:
        chapter = following.number.partition(".")[0]
        lines.append(style("bold", f"next: {following.number} {following.name}, {following.title}"))
        lines.append(f"      python -m lightnn exercise {chapter}, then python -m lightnn check {chapter}")
    return "\n".join(lines)
