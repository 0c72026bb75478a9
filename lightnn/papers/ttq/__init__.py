"""Zhu et al. 2017 (arXiv 1612.01064): ternary values that are learned, beside TWN, on LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.ttq.experiment import FULL, WAYS, reproduce
from lightnn.papers.ttq.tables import format_tables

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="ttq",
    title="ternary values that are learned",
    arxiv="1612.01064",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
