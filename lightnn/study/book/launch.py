"""Finds a chapter and opens a working copy of it in JupyterLab."""

import os
import pathlib
import subprocess
import sys

from lightnn.files import ROOT, need_clone
from lightnn.study.book import copies

CHAPTERS = ROOT / "chapters"


def numbers() -> list[str]:
    """The chapters there are: ["00", "04", ...]."""
    return [path.name[:2] for path in _notebooks()]


def _notebooks():
    need_clone("the chapters")
    return sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))


def chapter(number: str | int) -> pathlib.Path:
    """The path of chapter `number` ("4" or "04"). ValueError lists the chapters there are."""
    if not CHAPTERS.is_dir():
        need_clone("the chapters")
        raise ValueError(f"the chapters are not here: want a checkout of the repository, with {CHAPTERS}")
    for path in _notebooks():
        if path.name[:2] == str(number).zfill(2):
            return path
    raise ValueError(f"no chapter {number}; there are {', '.join(numbers())}")


def open_lab(number: str | int | None = None, port: int = 8888, browser: bool = True, fresh: bool = False) -> int:
    """Serve JupyterLab on this computer and open the reader's copy of chapter `number`, by default the first.

    The copies are in work/, which git ignores (see copies.py); `fresh` puts this chapter's old copy aside first. Runs
    until Ctrl-C; returns JupyterLab's exit status."""
    path = chapter("00" if number is None else number)
    if fresh:
        copies.start_anew(path, ROOT / "work")
    copies.update(_notebooks(), ROOT / "work")
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", f"--ServerApp.port={port}"]
    command += [f"--LabApp.default_url=/lab/tree/work/{path.name}", "--ServerApp.ip=127.0.0.1"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print(f"Opening work/{path.name} in JupyterLab on this computer; press Ctrl-C twice to stop.", flush=True)
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 0
