"""What `python -m lightnn reproduce deep-compression` does: the paper's tables 1 to 3, and the control they lack."""

from collections.abc import Callable

from lightnn.papers.deep_compression import experiment
from lightnn.papers.deep_compression.dense_control import control, format_control
from lightnn.papers.deep_compression.tables import format_tables
from lightnn.papers.lab.journal import Journal


def reproduce(
    journal: Journal,
    seed: int = 0,
    quick: bool = False,
    progress: bool = True,
    say: Callable[[str], None] = print,
) -> dict:
    """{"networks": {name: results}, "control": those of `control`}."""
    tables = experiment.reproduce(journal, seed, quick, progress, say)
    say("dense control:")
    return {**tables, "control": control(journal.part("dense control"), seed, quick, progress, say)}


def records(result: dict) -> dict[str, dict]:
    """The files that hold a result of `reproduce`: {file name: its numbers}."""
    return {**experiment.records(result), "deep_compression_control.json": result["control"]}


def format_all(result: dict) -> str:
    """All tables of a result of `reproduce`."""
    return f"{format_tables(result)}\n\n{format_control(result['control'])}"
