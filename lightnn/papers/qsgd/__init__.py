"""Alistarh et al. 2017 (arXiv 1610.02132): QSGD, beside TernGrad and 1-bit SGD, on LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.qsgd.experiment import FULL, QUICK, WAYS, reproduce
from lightnn.papers.qsgd.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="qsgd",
    title="gradients of a few bits",
    arxiv="1610.02132",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
