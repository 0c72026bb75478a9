"""Courbariaux, Bengio & David 2015 (arXiv 1511.00363): binary weights, on a fully connected network."""

from lightnn.papers.binaryconnect.experiment import FULL, WAYS, reproduce
from lightnn.papers.binaryconnect.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="binaryconnect",
    title="binary weights, drawn or not",
    arxiv="1511.00363",
    minutes=40,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
