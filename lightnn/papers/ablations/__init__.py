"""Why the structures are as they are: networks that differ in one thing, trained alike, on Fashion-MNIST."""

from lightnn.papers.ablations.experiment import FULL, QUICK, reproduce
from lightnn.papers.ablations.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="ablations",
    title="why structures are as they are",
    arxiv="-",
    minutes=40,
    quick_minutes=3,
    reproduce=reproduce,
    format_tables=format_tables,
    records=lambda result: {f"{name}.json": numbers for name, numbers in result.items()},
)
