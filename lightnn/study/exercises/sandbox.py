"""Runs a task in a process of its own (child.py), watches the time, and hands out what it observed.

Where the system can, the process is a fork of this one, which costs milliseconds; this process must therefore have no
threads, which is why grading has a worker process of its own (worker.py).
"""

import contextlib
import json
import multiprocessing
import os
import pathlib
import signal
import tempfile
import time
from dataclasses import dataclass, field

from lightnn.study.exercises import child, outcome

SECONDS = 10  # for loading a file, and for one call
SHOWN = 4000  # characters of what it printed
ALL_CALLS = 20  # seconds for all calls together
METHOD = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
ENDED = "it ended the Python that ran it"
ENDLESS = "it does not end: stopped after"
TOGETHER = f"it is too slow: its calls together take more than {ALL_CALLS} s"
LOADING = f"the file does not end loading: stopped after {SECONDS} s"


@dataclass
class Run:
    """What is known of a run: {case: [outcome of each call]}, and how it ended."""

    where: str = ""
    problem: str = ""  # why nothing, or not everything, could be loaded
    seen: dict = field(default_factory=dict)
    ended: str = ""  # why it stopped early
    at: tuple | None = None  # the case and the call that it was at then
    said: str = ""  # a finale's sentence
    printed: str = ""


def run(task: dict, chosen: list[int], stop=lambda case, outcomes: False) -> Run:
    """Run the chosen cases of the task until stop(case, its outcomes so far) says True, or a limit is reached."""
    context = multiprocessing.get_context(METHOD)
    reader, writer = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "printed.txt"
        process = context.Process(target=_start, args=(task, chosen, writer, str(log)), daemon=True)
        process.start()
        writer.close()
        found = Run()
        try:
            _watch(found, reader, task.get("seconds", SECONDS), stop)
            if found.ended == ENDED:
                process.join(1)
                found.ended = _end(process.exitcode)
        finally:
            _kill(process)
            reader.close()
        if log.exists():
            with log.open(encoding="utf-8", errors="replace") as file:
                found.printed = file.read(SHOWN)
    return found


def _start(task, chosen, writer, log):
    try:
        child.main(task, chosen, writer, log)
        writer.send_bytes(json.dumps({"done": True}).encode())
    except BrokenPipeError:
        pass


def _watch(found, reader, seconds, stop):
    """Take messages until the end, or until one is late."""
    deadline = time.monotonic() + SECONDS
    last = None
    while True:
        if not reader.poll(max(deadline - time.monotonic(), 0)):
            late = TOGETHER if last is not None and time.monotonic() >= last else f"{ENDLESS} {seconds} s"
            found.ended = late if found.at else LOADING
            return
        try:
            message = json.loads(reader.recv_bytes())
        except (EOFError, OSError):
            found.ended = ENDED
            return
        now = time.monotonic()
        if "loaded" in message:
            found.where, found.problem, last = message["loaded"], message["problem"], now + max(ALL_CALLS, seconds)
        elif "at" in message:
            found.at = tuple(message["at"])
            deadline = min(now + seconds, last)
        elif "seen" in message:
            case = found.at[0]
            found.seen.setdefault(case, []).append(outcome.unpack(message["seen"]))
            if stop(case, found.seen[case]):
                return
        elif "done" in message:
            found.at = None
            return
        else:
            found.said, found.ended = message.get("said", ""), message.get("failed", "")


def _end(status):
    if status is not None and status < 0:
        return f"it crashed the Python that ran it (signal {-status})"
    return f"{ENDED} (exit status {status})"


def _kill(process):
    if hasattr(os, "killpg") and process.pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it started
    if process.is_alive():
        process.kill()
    process.join()
    process.close()
