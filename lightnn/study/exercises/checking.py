"""`python -m lightnn check`: grade the reader's files, report, give hints, show the progress through the book."""

import json
import pathlib
import sys
import time
from typing import TextIO

from lightnn.files import write_atomically
from lightnn.study.exercises import dispatch, report, solutions
from lightnn.study.exercises.sheets import Sheet, chapters, sheet, sheets_of


def check(number: str, *, hint: bool = False, folder: str | None = None, out: TextIO = sys.stdout) -> int:
    """Grade a chapter ("04") or one exercise ("04.5") and print the report; 0 if everything passed, else 1."""
    number = str(number)
    chosen = [sheet(number)] if "." in number else list(sheets_of(number))
    verdicts = grade_work(chosen, folder)
    print(report.chapter_report(verdicts, chosen, report.Style(out)), file=out)
    if hint:
        print("\n" + give_hint(verdicts, folder), file=out)
    return 0 if all(v["status"] == "PASSED" for v in verdicts) else 1


def progress(folder: str | None = None, out: TextIO = sys.stdout) -> int:
    """Grade every work file there is and print how far the reader is in the book; 0."""
    rows = []
    for number in chapters():
        found = list(sheets_of(number))
        exists = solutions.work_file(number, folder).exists()
        rows.append((number, found, grade_work(found, folder) if exists else [_not_started(s) for s in found]))
    print(report.progress_report(rows, report.Style(out)), file=out)
    return 0


def watch(number: str, folder: str | None = None, out: TextIO = sys.stdout) -> int:
    """Check again whenever the reader's file changes, until Ctrl-C; 0."""
    path = solutions.work_file(number.partition(".")[0].zfill(2), folder)
    seen = None
    try:
        while True:
            now = path.stat().st_mtime_ns if path.exists() else None
            if now != seen:
                seen = now
                check(number, folder=folder, out=out)
                print(f"\nwatching {path.name}; press Ctrl-C to stop", file=out, flush=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        return 0


def _not_started(s, where=""):
    return {"name": s.number, "number": s.number, "status": "NOT STARTED", "where": where, "problem": ""}


def grade_work(chosen: list[Sheet], folder: str | pathlib.Path | None = None) -> list[dict]:
    """The verdicts on the exercises, all of one chapter, in order. ValueError if the chapter's file is missing."""
    number = chosen[0].number.partition(".")[0]
    path = solutions.work_file(number, folder).resolve()
    if not path.exists():
        raise ValueError(f"there is no {solutions.shown(path)}: `python -m lightnn exercise {number}` writes it")
    state = solutions.state(path, number)
    found = {s.number: _not_started(s, state[s.number]["where"]) for s in chosen if not state[s.number]["started"]}
    tasks = [{"name": s.number, "number": s.number, "file": str(path)} for s in chosen if s.number not in found]
    for verdict in dispatch.run(tasks):
        found[verdict["number"]] = verdict
    return [found[s.number] for s in chosen]


def give_hint(verdicts: list[dict], folder: str | None = None) -> str:
    """The hints so far and one more for the first exercise that is not passed.

    How many hints were given is kept in hints.json beside the reader's file."""
    todo = next((v for v in verdicts if v["status"] != "PASSED"), None)
    if todo is None:
        return "You need no hint: everything passed."
    s = sheet(todo["number"])
    path = solutions.work_file(s.number.partition(".")[0], folder).parent / "hints.json"
    given = json.loads(path.read_text()) if path.exists() else {}
    count = min(given.get(s.number, 0) + 1, len(s.hints))
    write_atomically(path, json.dumps({**given, s.number: count}).encode())
    lines = [f"{s.number} {s.name}: hint {i + 1} of {len(s.hints)}: {text}" for i, text in enumerate(s.hints[:count])]
    if count == len(s.hints):
        lines.append(f"The reference: python -m lightnn exercise {s.number} --reference")
    return "\n".join(lines)
