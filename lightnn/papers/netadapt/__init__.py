"""Yang et al. 2018 (arXiv 1804.03230): a network narrowed block by block, by measured latency."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.netadapt.experiment import FULL, QUICK, reproduce
from lightnn.papers.netadapt.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="netadapt",
    title="widths by measured latency",
    arxiv="1804.03230",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
