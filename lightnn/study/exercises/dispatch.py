"""Grades tasks in worker processes (worker.py).

When a worker dies or stops answering, the task it was at is marked WRONG with the reason, and another worker goes on
with the rest.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from lightnn.files import ROOT
from lightnn.study.exercises import solutions

PATIENCE = 90  # seconds without a word from a worker: several tests' time limits


def run(tasks: list[dict], patience: float = PATIENCE) -> list[dict]:
    """The verdicts on all tasks, in order, from as many worker processes as it takes."""
    verdicts, rest = [], list(tasks)
    while rest:
        done, reason = _one_worker(rest, patience)
        if not done and reason is None:
            reason = "the grading ended without a word"
        if len(done) < len(rest):
            done.append({**_unfinished(rest[len(done)]), "problem": reason})
        verdicts += done
        rest = rest[len(done) :]
    return verdicts


def _unfinished(task):
    where = ""
    if "file" in task:
        path = pathlib.Path(task["file"])
        where = solutions.state(path, task["number"].partition(".")[0])[task["number"]]["where"]
    return {"name": task["name"], "number": task["number"], "status": "WRONG", "where": where, "tests": 0}


def _one_worker(tasks, patience):
    """(verdicts, why it ended early or None)."""
    with tempfile.TemporaryDirectory() as folder:
        out, log = pathlib.Path(folder) / "verdicts.jsonl", pathlib.Path(folder) / "log.txt"
        out.touch()
        status, reason = _run_worker(tasks, out, log, patience)
        printed = log.read_text(encoding="utf-8", errors="replace").strip()
        lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    verdicts = [line for line in lines if "status" in line]
    if len(verdicts) < len(tasks) and reason is None:
        reason = _end(status, printed)
    return verdicts, reason


def _run_worker(tasks, out, log, patience):
    """Start a worker that writes its verdicts to `out` and what it prints to `log`; (exit status, why stopped)."""
    command = [sys.executable, "-m", "lightnn.study.exercises.worker", str(out)]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=printed,
            stderr=printed,
            cwd=ROOT,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # those of other projects cost a second
            text=True,
            encoding="utf-8",
        )
        try:
            process.stdin.write(json.dumps(tasks))
            process.stdin.close()
            reason = _wait(process, out, patience)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return process.returncode, reason


def _wait(process, out, patience):
    """Wait until the worker ends: None; or until it has written nothing for `patience` seconds: what to tell."""
    size, since = 0, time.monotonic()
    while process.poll() is None:
        time.sleep(0.05)
        now = out.stat().st_size
        if now != size:
            size, since = now, time.monotonic()
        elif time.monotonic() - since > patience:
            return f"it does not end: stopped after {patience:.0f} s"
    return None


def _end(status, printed):
    last = printed.splitlines()[-1][:200] if printed else ""
    if status < 0:
        return f"it crashed the Python that ran it (signal {-status})"
    return f"it ended the Python that ran it (exit status {status})" + (f": {last}" if status == 1 and last else "")
