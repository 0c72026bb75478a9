"""What `python -m lightnn reproduce deep-compression` does: the paper's tables 1 to 3, and the control they lack."""

from lightnn.papers.deep_compression import experiment
from lightnn.papers.deep_compression.dense_control import control, format_control
from lightnn.papers.deep_compression.tables import format_tables
from lightnn.papers.lab.session import Session


def reproduce(session: Session) -> dict:
    """{"networks": {name: results}, "control": those of `control`}."""
    tables = experiment.reproduce(session)
    session.say("dense control:")
    return {**tables, "control": control(session.part("dense control"))}


def records(result: dict) -> dict[str, dict]:
    """The files that hold a result of `reproduce`: {file name: its numbers}."""
    return {**experiment.records(result), "deep_compression_control.json": result["control"]}


def format_all(result: dict) -> str:
    """All tables of a result of `reproduce`."""
    return f"{format_tables(result)}\n\n{format_control(result['control'])}"
