"""Tan et al. 2019 (arXiv 1807.11626): blocks chosen by a controller, by accuracy and measured latency."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.mnasnet.experiment import FULL, QUICK, reproduce
from lightnn.papers.mnasnet.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="mnasnet",
    title="blocks by accuracy and latency",
    arxiv="1807.11626",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
