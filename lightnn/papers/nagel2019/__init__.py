"""Nagel et al. 2019 (arXiv 1906.04721): one scale for a tensor, rescued, on a depthwise network."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.nagel2019.experiment import FULL, QUICK, WAYS, reproduce
from lightnn.papers.nagel2019.tables import format_tables, recovered

__all__ = ["FULL", "PAPER", "QUICK", "WAYS", "format_tables", "recovered", "reproduce"]

PAPER = Paper(
    name="nagel2019",
    title="one scale a tensor, rescued",
    arxiv="1906.04721",
    minutes=20,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_tables,
)
