"""The process in which a solution runs: it loads the solution, makes the calls, and sends what it observed.

It is limited in memory, may not start other processes, and has nobody at its keyboard; the process that started it
watches the time (sandbox.py). It never learns what is expected.

A task is {"number"} and one of: {"file"}, the reader's file; {"source"}, a changed reference; {"stub": true}; or
nothing more, for the reference itself. {"finale": true} runs the chapter's end instead, on all functions of the file.
"""

import contextlib
import json
import os
import pathlib
import sys

from lightnn import exercise
from lightnn.study.exercises import cases, outcome, solutions
from lightnn.study.exercises.sheets import finale, sheets_of

MEMORY = 2 * 2**30  # bytes of address space beyond what Python and the library take
PRINTED = 10_000_000  # bytes that may be printed, or written to any file
FORBIDDEN = {
    "os.exec", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.spawn", "os.startfile",
    "os.system", "pty.spawn", "subprocess.Popen",
}  # fmt: skip
SYMBOLS = ("fork", "vfork", "clone", "system", "kill", "execv", "execve", "posix_spawn")


class NotAllowed(Exception):
    """A solution does what none needs: it starts a process or stops for input."""


def main(task, chosen, channel, log):
    """Run the task's cases number `chosen` and send JSON messages through the Connection `channel`.

    {"loaded": where, "problem"}, then for each call {"at": [case, place]} and {"seen": outcome}."""

    def send(**message):
        channel.send_bytes(json.dumps(message).encode())

    number = task["number"]
    sheets_of(number.partition(".")[0])  # registers the exercises, unless this process is a fork
    calls = [] if task.get("finale") else [(i, cases.arguments(number, cases.cases_of(number)[i])) for i in chosen]
    _limit(log)
    if task.get("finale"):
        return _finale(task, send)
    solution = _load(task)
    send(loaded=solution.where, problem=solution.problem)
    if solution.fn is None:
        return None
    file = task.get("file")
    with exercise.grading(number, exercise.refuse) if "file" in task else contextlib.nullcontext():
        for i, given in calls:
            for place, (args, options) in enumerate(given):
                send(at=[i, place])
                send(seen=outcome.pack(outcome.observe(solution.fn, args, options, file)))


def _finale(task, send):
    """Put all of the reader's functions into the library and run the chapter's end."""
    chapter = task["number"].partition(".")[0]
    loaded = solutions.load(pathlib.Path(task["file"]), chapter)
    with contextlib.ExitStack() as stack:
        for number, solution in loaded.items():
            stack.enter_context(exercise.grading(number, solution.fn))
        send(loaded="", problem="")
        send(at=[0, 0])
        try:
            send(said=finale(chapter)())
        except BaseException as error:
            send(failed=f"{type(error).__name__}: {error}")


def _load(task):
    number = task["number"]
    if "file" in task:
        return solutions.load(pathlib.Path(task["file"]), number.partition(".")[0], number)[number]
    if task.get("stub"):
        return solutions.Solution(number, solutions.stub(number))
    source = task.get("source") or solutions.source_of(number)
    return solutions.Solution(number, solutions.from_source(number, source))


def _limit(log):
    """From here on: no keyboard, what is printed goes to the file `log`, and the limits hold."""
    sys.stdin = open(os.devnull)  # noqa: SIM115
    printed = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(printed, stream)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stdout
    if hasattr(os, "setsid"):
        os.setsid()
        import resource

        used = int(pathlib.Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() if LINUX else 0
        with contextlib.suppress(ValueError, OSError):  # macOS knows no such limit
            resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (PRINTED, PRINTED))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.breakpointhook = _no_breakpoint
    sys.addaudithook(_audit)


LINUX = sys.platform == "linux"


def _no_breakpoint(*args, **options):
    raise NotAllowed("breakpoint() has nobody to talk to here; use `check NN.M --debug`")


def _audit(event, args):
    if event in FORBIDDEN or (event == "ctypes.dlsym" and args[1] in SYMBOLS):
        raise NotAllowed(f"a solution may not call {event}: it starts or stops processes")
