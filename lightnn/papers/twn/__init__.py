"""Li, Zhang & Liu 2016 (arXiv 1605.04711): ternary weights, on the paper's own LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.twn.experiment import FULL, WAYS, reproduce
from lightnn.papers.twn.tables import format_tables

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="twn",
    title="ternary weights",
    arxiv="1605.04711",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
