"""Opening the chapters in JupyterLab, and running them without one."""

import os
import pathlib
import subprocess
import sys

from lightnn.files import write_atomically

ROOT = pathlib.Path(__file__).resolve().parents[3]
CHAPTERS = ROOT / "chapters"
WIDGET = "application/vnd.jupyter.widget-view+json"


def chapter(number):
    """The path of chapter `number` ("4" or "04"); ValueError lists the chapters there are."""
    if not CHAPTERS.is_dir():
        raise ValueError(f"the chapters are not here: want a checkout of the repository, with {CHAPTERS}")
    found = sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb"))
    for path in found:
        if path.name[:2] == str(number).zfill(2):
            return path
    raise ValueError(f"no chapter {number}; there are {', '.join(p.name[:2] for p in found)}")


def open_lab(number=None, port=8888, browser=True):
    """Serve JupyterLab on this computer, at chapter `number` or at the first; returns its exit status after Ctrl-C."""
    path = chapter("00" if number is None else number)
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={ROOT}", f"--ServerApp.port={port}"]
    command += [f"--LabApp.default_url=/lab/tree/chapters/{path.name}", "--ServerApp.ip=127.0.0.1"]
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    command += [] if browser else ["--no-browser"]
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    print(f"Opening {path.name} in JupyterLab on this computer; Ctrl-C twice ends it.", flush=True)
    try:
        return subprocess.call(command)
    except KeyboardInterrupt:
        return 0


def execute(number):
    """Run chapter `number` from top to bottom in a new kernel; return the path of the executed copy, in work/executed/.

    The committed chapter is left alone. Raises nbclient's CellExecutionError, which shows the cell and its error.
    """
    import nbformat

    path = chapter(number)
    notebook = nbformat.read(path, as_version=4)
    run(notebook)
    target = ROOT / "work" / "executed" / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, nbformat.writes(notebook).encode())
    return target


def run(notebook):
    """Execute the notebook in place, in a new kernel in the chapters' folder, and drop what only a live kernel can show
    (progress bars, sliders) and what changes from run to run without meaning."""
    import nbclient

    client = nbclient.NotebookClient(notebook, timeout=900, resources={"metadata": {"path": str(CHAPTERS)}})
    client.execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            shown = [o for o in cell.outputs if WIDGET not in o.get("data", {}) and o.get("name") != "stderr"]
            cell.outputs = _joined(shown)


def _joined(outputs):
    """The outputs, with what was printed in several pieces (as the kernel happened to send it) in one."""
    joined = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined
