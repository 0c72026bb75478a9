"""What `check` prints: short, in colour on a terminal and plain in a file, at most 80 columns wide."""

import os
import textwrap

WIDTH = 80
COLOUR = {"PASSED": "32", "WRONG": "31", "NOT STARTED": "33", "dim": "2", "bold": "1"}
STATES = ("PASSED", "WRONG", "NOT STARTED")


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
        lines += exercise_report(verdict, s, style)
    passed, wrong_, rest = counts(verdicts)
    lines += ["", style("bold", f"{passed} passed, {wrong_} wrong, {rest} not started")]
    following = following_hint(verdicts)
    if following is not None:
        number = following["number"]
        lines.append(style("dim", f"a hint for {number}: python -m lightnn check {number} --hint"))
    return "\n".join(lines)


def counts(verdicts):
    """How many are passed, wrong, not started."""
    return tuple(sum(v["status"] == state for v in verdicts) for state in STATES)


def following_hint(verdicts):
    """The verdict that a hint is for: the first that is wrong, else the first that is not started, else None."""
    return next((v for state in STATES[1:] for v in verdicts if v["status"] == state), None)


def exercise_report(verdict, s, style):
    """The lines about one exercise."""
    status = verdict["status"]
    head = f"{s.number:<5} {s.name:<24} {s.level:<7}"
    lines = [f"{head} {style(status, f'{status:<12}')}{verdict.get('where', '')}".rstrip()]
    if status == "NOT STARTED" and verdict.get("why") not in (None, "", "still the stub"):
        lines += _wrapped("why", verdict["why"])
    if status == "WRONG":
        lines += wrong(verdict, s, style)
    if verdict.get("printed", "").strip():
        lines += _printed(verdict["printed"])
    return lines


def wrong(verdict, s, style):
    """The lines that explain a verdict WRONG."""
    what = verdict.get("what", "")
    rows = [
        ("in", "" if what in ("", "result") else what),
        ("expected", verdict.get("expected")),
        ("got", verdict.get("got")),
        ("differs", f"first at {verdict['index']}" if verdict.get("index") else ""),
        ("error", verdict.get("why") if verdict.get("why") != verdict.get("got") else ""),
        ("docstring", verdict.get("says")),
        ("equation", "" if verdict.get("says") else s.equation),
        ("likely", verdict.get("likely")),
    ]
    lines = _pasted(verdict["call"]) if verdict.get("call") else []
    for name, text in rows:
        if text:
            lines += _wrapped(style("bold", f"{name:<9}") if name == "likely" else name, str(text))
    return lines


def _pasted(call):
    """The call as it can be pasted: every line at the same indent."""
    lines = call.splitlines()
    return [f"      call      {lines[0]}", *(f"{'':<16}{line}" for line in lines[1:])]


def _printed(text):
    """The first lines that a solution printed."""
    lines = text.strip().splitlines()
    shown = [f"      printed   {lines[0][: WIDTH - 16]}", *(f"{'':<16}{line[: WIDTH - 16]}" for line in lines[1:5])]
    return shown + ([f"{'':<16}... and {len(lines) - 5} more"] if len(lines) > 5 else [])


def _wrapped(mark, text):
    lines = textwrap.wrap(text, WIDTH - 16, break_long_words=True, break_on_hyphens=False) or [""]
    return [f"      {mark:<9} {lines[0]}", *(f"{'':<16}{line}" for line in lines[1:6])]


def paragraph(text):
    """The text filled to the width."""
    return textwrap.fill(text, WIDTH)


def hint(s, count):
    """The first `count` hints of a sheet, at most 80 columns wide."""
    lines = []
    for i, text in enumerate(s.hints[:count], 1):
        lines += textwrap.wrap(
            f"{s.number} {s.name}, hint {i} of {len(s.hints)}: {text}", WIDTH, subsequent_indent="  "
        )
    if count == len(s.hints):
        lines.append(f"The reference: python -m lightnn exercise {s.number} --reference")
    return "\n".join(lines)


def progress_report(rows, style):
    """The book as a table, and what to do next. rows: (chapter, its sheets, their verdicts)."""
    lines = [f"{'chapter':<9}{'done':>6}{'wrong':>7}{'not started':>13}"]
    following = None
    for number, found, verdicts in rows:
        passed, wrong_, rest = counts(verdicts)
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
