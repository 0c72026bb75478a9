"""Hands tasks to the worker process (worker.py), which is started once and kept."""

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator

from lightnn.files import ROOT

_worker = None
ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # a fork takes no threads along


def run(tasks: list[dict]) -> Iterator[dict]:
    """Yield the verdict on each task, in order. A task: see child.py; its "name" comes back in the verdict."""
    for task in tasks:
        worker = _started()
        try:
            worker.stdin.write(json.dumps(task) + "\n")
            worker.stdin.flush()
            answer = worker.stdout.readline()
        except KeyboardInterrupt:
            stop()
            raise
        if not answer:
            status = worker.wait()
            stop()
            raise RuntimeError(f"the process that grades ended (exit status {status}); its last words are above")
        yield json.loads(answer)


def _started():
    global _worker
    if _worker is None or _worker.poll() is not None:
        _worker = subprocess.Popen(
            [sys.executable, "-m", "lightnn.study.exercises.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, **ALONE},
            text=True,
            encoding="utf-8",
        )
        atexit.register(stop)
    return _worker


def stop() -> None:
    """End the worker; the next `run` starts another."""
    global _worker
    if _worker is not None:
        worker, _worker = _worker, None
        worker.stdin.close()
        worker.kill()
        worker.wait()
        worker.stdout.close()
