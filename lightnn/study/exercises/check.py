"""`python -m lightnn check`: grade the reader's files, report, give hints, show the whole book's progress.

The grading itself runs in worker processes (worker.py). When one dies or stops answering, the job it was at is called
so, and another worker goes on with the rest.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time

from lightnn.files import ROOT, write_atomically
from lightnn.study.exercises import report, solutions
from lightnn.study.exercises.sheets import chapters, sheet, sheets

PATIENCE = 90  # seconds without a word from a worker: several tests' time limits


def check(number, *, hint=False, folder=None, out=sys.stdout):
    """Grade a chapter ("04") or one exercise ("04.5"), print the report; 0 if everything passed, else 1."""
    number = str(number)
    chosen = [sheet(number)] if "." in number else list(sheets(number))
    verdicts = grade_work(chosen, folder)
    style = report.Style(out)
    print(report.chapter_report(verdicts, chosen, style), file=out)
    if hint:
        print("\n" + give_hint(verdicts, folder), file=out)
    return 0 if all(v["status"] == "PASSED" for v in verdicts) else 1


def progress(folder=None, out=sys.stdout):
    """Grade every file that there is and print the book's progress; 0."""
    rows = []
    for number in chapters():
        found = list(sheets(number))
        here = solutions.work_file(number, folder).exists()
        rows.append((number, found, grade_work(found, folder) if here else [_not_started(s) for s in found]))
    print(report.progress_report(rows, report.Style(out)), file=out)
    return 0


def watch(number, folder=None, out=sys.stdout):
    """Check again whenever the reader's file changes, until Ctrl-C."""
    path = solutions.work_file(number.partition(".")[0].zfill(2), folder)
    seen = None
    try:
        while True:
            now = path.stat().st_mtime_ns if path.exists() else None
            if now != seen:
                seen = now
                check(number, folder=folder, out=out)
                print(f"\nwatching {path.name}; Ctrl-C ends", file=out, flush=True)
            time.sleep(0.3)
    except KeyboardInterrupt:
        return 0


def _not_started(s, where=""):
    return {"name": s.number, "number": s.number, "status": "NOT STARTED", "where": where, "problem": ""}


def grade_work(chosen, folder=None):
    """Verdicts (dicts) of the exercises, in order."""
    number = chosen[0].number.partition(".")[0]
    path = solutions.work_file(number, folder).resolve()
    if not path.exists():
        raise ValueError(f"there is no {solutions.shown(path)}: `python -m lightnn exercise {number}` writes it")
    state = _state(path, number)
    found = {s.number: _not_started(s, state[s.number]["where"]) for s in chosen if not state[s.number]["started"]}
    tasks = [{"name": s.number, "number": s.number, "file": str(path)} for s in chosen if s.number not in found]
    for verdict in run(tasks):
        found[verdict["number"]] = verdict
    return [found[s.number] for s in chosen]


def _state(path, number):
    """{number: {"started", "where"}}, read from the text alone: nothing of the reader's runs in this process."""
    text, file = path.read_text(encoding="utf-8", errors="replace"), solutions.shown(path)
    lines = text.splitlines()
    state = {}
    for n, name in solutions.names(number).items():
        at = next((i + 1 for i, line in enumerate(lines) if line.startswith((f"def {name}(", f"{name} ="))), None)
        started = at is not None and not solutions.is_stub(text, name)
        state[n] = {"started": started, "where": f"{file}, line {at}" if at else file}
    return state


def run(tasks, patience=PATIENCE):
    """Verdicts of all tasks, from as many worker processes as it takes."""
    verdicts, rest = [], list(tasks)
    while rest:
        done, reason = _one_worker(rest, patience)
        if not done and reason is None:
            reason = "the grading ended without a word"
        if len(done) < len(rest):
            task = rest[len(done)]
            done.append({**_blank(task), "problem": reason})
        verdicts += done
        rest = rest[len(done) :]
    return verdicts


def _blank(task):
    where = ""
    if "file" in task:
        path = pathlib.Path(task["file"])
        where = _state(path, task["number"].partition(".")[0])[task["number"]]["where"]
    return {"name": task["name"], "number": task["number"], "status": "WRONG", "where": where, "tests": 0}


def _one_worker(tasks, patience):
    """(verdicts, None or why it ended early)."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "verdicts.jsonl"
        out.touch()
        log = (pathlib.Path(folder) / "log.txt").open("w+", encoding="utf-8")
        command = [sys.executable, "-m", "lightnn.study.exercises.worker", str(out)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=ROOT, text=True)
        try:
            process.stdin.write(json.dumps(tasks))
            process.stdin.close()
            reason = _wait(process, out, patience)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
            log.seek(0)
            said = log.read().strip()
            log.close()
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    verdicts = [line for line in lines if "status" in line]
    if len(verdicts) < len(tasks) and reason is None:
        reason = _end(process.returncode, said)
    return verdicts, reason


def _wait(process, out, patience):
    """Wait for the worker; None, or why it was given up."""
    size, since = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = out.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            return f"it does not end: stopped after {patience:.0f} s"
    return None


def _end(status, said):
    last = said.splitlines()[-1][:200] if said else ""
    if status < 0:
        return f"it crashed the Python that ran it (signal {-status})"
    return f"it ended the Python that ran it (exit status {status})" + (f": {last}" if status == 1 and last else "")


def give_hint(verdicts, folder=None):
    """One more hint for the first exercise that is not passed; how many were given is kept beside the reader's file."""
    todo = next((v for v in verdicts if v["status"] != "PASSED"), None)
    if todo is None:
        return "No hint is needed: everything passed."
    s = sheet(todo["number"])
    path = solutions.work_file(s.number.partition(".")[0], folder).parent / "hints.json"
    given = json.loads(path.read_text()) if path.exists() else {}
    count = min(given.get(s.number, 0) + 1, len(s.hints))
    write_atomically(path, json.dumps({**given, s.number: count}).encode())
    lines = [f"{s.number} {s.name}: hint {i + 1} of {len(s.hints)}: {text}" for i, text in enumerate(s.hints[:count])]
    if count == len(s.hints):
        lines.append(f"The reference: python -m lightnn exercise {s.number} --reference")
    return "\n".join(lines)
