"""The survey's table of structures and filters, measured: a small network of every family, on Fashion-MNIST."""

from lightnn.papers.architectures.experiment import FULL, QUICK, reproduce
from lightnn.papers.architectures.tables import format_table
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_table", "reproduce"]

PAPER = Paper(
    name="architectures",
    title="16 families, small, side by side",
    arxiv="-",
    minutes=25,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_table,
)
