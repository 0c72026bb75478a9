"""`python -m lightnn check`: grade the reader's files, report, give hints, show the progress through the book."""

import json
import pathlib
import sys
from collections.abc import Iterator
from typing import TextIO

from lightnn.files import need_clone, write_atomically
from lightnn.study.exercises import dispatch, report, solutions
from lightnn.study.exercises.sheets import Sheet, chapters, exercise_number, sheet, sheets_of
from lightnn.study.exercises.state import state

TOGETHER = "All passed. Your functions now run together; this may take a minute ..."


def check(number: str, *, hint: bool = False, folder: str | None = None, out: TextIO = sys.stdout) -> int:
    """Grade a chapter ("04") or one exercise ("04.5") and print the report; 0 if everything passed, else 1."""
    number = exercise_number(str(number))
    chosen = [sheet(number)] if "." in number else list(sheets_of(number))
    verdicts = list(grade_work(chosen, folder))
    passed = all(v["status"] == "PASSED" for v in verdicts)
    print(report.chapter_report(verdicts, chosen, report.Style(out)), file=out)
    if passed and "." not in number:
        print(f"\n{TOGETHER}", file=out, flush=True)
        print(report.paragraph(chapter_end(number, folder)), file=out)
    if hint:
        print("\n" + give_hint(verdicts, folder), file=out)
    return 0 if passed else 1


def progress(folder: str | None = None, out: TextIO = sys.stdout) -> int:
    """Grade every work file there is and print how far the reader is in the book; 0."""
    rows = []
    for number in chapters():
        found = list(sheets_of(number))
        exists = solutions.work_file(number, folder).exists()
        rows.append((number, found, list(grade_work(found, folder)) if exists else [_not_started(s) for s in found]))
    print(report.progress_report(rows, report.Style(out)), file=out)
    return 0


def _not_started(s, where="", why=""):
    return {"name": s.number, "number": s.number, "status": "NOT STARTED", "where": where, "why": why}


def file_of(chapter: str, folder: str | pathlib.Path | None = None) -> pathlib.Path:
    """The reader's file of a chapter. ValueError if it is missing."""
    need_clone("the calls that exercises are graded on")
    path = solutions.work_file(chapter, folder).resolve()
    if not path.exists():
        raise ValueError(f"there is no {solutions.shown(path)}: `python -m lightnn exercise {chapter}` writes it")
    return path


def grade_work(chosen: list[Sheet], folder: str | pathlib.Path | None = None) -> Iterator[dict]:
    """Yield the verdicts on exercises of one chapter, in order. ValueError if the chapter's file is missing."""
    number = chosen[0].number.partition(".")[0]
    path = file_of(number, folder)
    found = state(path, number)
    for s in chosen:
        if found[s.number]["started"]:
            (verdict,) = dispatch.run([{"name": s.number, "number": s.number, "file": str(path)}])
            yield {**verdict, "where": verdict["where"] or found[s.number]["where"]}
        else:
            yield _not_started(s, found[s.number]["where"], found[s.number]["why"])


def chapter_end(chapter: str, folder: str | pathlib.Path | None = None) -> str:
    """Run the chapter's end on the reader's functions; what it says."""
    path = file_of(chapter, folder)
    task = {"name": chapter, "number": sheets_of(chapter)[0].number, "file": str(path), "finale": True}
    (verdict,) = dispatch.run([task])
    if verdict["status"] == "PASSED":
        return f"Chapter {chapter} is done. {verdict['why']}"
    return f"Chapter {chapter} is done, but its functions do not work together: {verdict['why']}"


def give_hint(verdicts: list[dict], folder: str | pathlib.Path | None = None) -> str:
    """The hints so far and one more for the first exercise that is wrong, or else not started.

    How many hints were given is kept in hints.json beside the reader's file."""
    todo = report.following_hint(verdicts)
    if todo is None:
        return "You need no hint: everything passed."
    s = sheet(todo["number"])
    path = solutions.work_file(s.number.partition(".")[0], folder).parent / "hints.json"
    given = json.loads(path.read_text()) if path.exists() else {}
    count = min(given.get(s.number, 0) + 1, len(s.hints))
    write_atomically(path, json.dumps({**given, s.number: count}).encode())
    return report.hint(s, count)
