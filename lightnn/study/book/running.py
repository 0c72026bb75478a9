"""Runs chapters without JupyterLab: one, to look at, or the whole book, to compare with what is committed."""

import pathlib
import time

from lightnn.files import write_atomically
from lightnn.study.book import launch
from lightnn.study.book.claims import NOT_HERE, missed
from lightnn.study.book.tags import differences, rule

WIDGET = "application/vnd.jupyter.widget-view+json"


def execute(number: str | int) -> pathlib.Path:
    """Run chapter `number` from top to bottom in a new kernel; return the path of the executed copy, in work/executed/.

    The committed chapter is not changed. Raises nbclient's CellExecutionError, which shows the cell and its error.
    """
    path = launch.chapter(number)
    notebook = _read(path)
    run(notebook)
    return _write(notebook, _copy_of(path))


def execute_and_compare(chosen: str | None = None, *, write: bool = False, say=print) -> int:
    """Run one chapter, or all, and compare the tagged cells' outputs with the committed ones (see tags.py).

    Returns the number of differences; each is reported in a line. With `write`, replace the committed notebook by the
    new run instead of comparing, once all its cells have run. A claim on times that does not hold here is said; it is
    no difference, but with `write` it is one, and nothing is written."""
    wrong = 0
    for number in launch.numbers() if chosen is None else [chosen]:
        path = launch.chapter(number)
        start = time.monotonic()
        before, after = _read(path), _read(path)
        run(after)
        not_here = [NOT_HERE + claim for claim in missed(after.cells)]
        found = not_here if write else differences(before, after)
        seconds = time.monotonic() - start
        wrong += len(found)
        tagged = sum(bool(rule(cell)) for cell in before.cells)
        state = f"{tagged} tagged cells, {len(found)} differ"
        if write:
            state = "not written" if found else "written"
        say(f"{path.name:<32} {seconds:>4.0f} s  {state}")
        for line in [*found, *([] if write else not_here)]:
            say(f"  {line}")
        _write(after, path if write and not found else _copy_of(path))
    return wrong


def run(notebook) -> None:
    """Execute the notebook in place, in a new kernel that works in the chapters' folder.

    Drops what only a live kernel can show (progress bars, sliders) and what changes from run to run without meaning."""
    import nbclient

    where = {"metadata": {"path": str(launch.CHAPTERS)}}
    nbclient.NotebookClient(notebook, timeout=900, resources=where).execute()
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            kept = [o for o in cell.outputs if WIDGET not in o.get("data", {}) and o.get("name") != "stderr"]
            cell.outputs = _joined(kept)


def _joined(outputs):
    """The outputs, with adjacent pieces of printed text joined: the kernel may send one print in several pieces."""
    joined = []
    for output in outputs:
        if output.output_type == "stream" and joined and joined[-1].output_type == "stream":
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined


def _copy_of(path):
    return launch.ROOT / "work" / "executed" / path.name


def _read(path):
    import nbformat

    return nbformat.read(path, as_version=4)


def _write(notebook, target):
    import nbformat

    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, (nbformat.writes(notebook) + "\n").encode())
    return target
