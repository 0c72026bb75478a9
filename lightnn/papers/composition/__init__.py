"""Which techniques add up, and in which order: pruning, sharing, quantizing and distilling LeNet-5 on MNIST."""

from lightnn.papers.composition.experiment import FULL, QUICK, TECHNIQUES, reproduce
from lightnn.papers.composition.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "TECHNIQUES", "format_tables", "reproduce"]

PAPER = Paper(
    name="composition",
    title="four techniques in all orders",
    arxiv="-",
    minutes=15,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
