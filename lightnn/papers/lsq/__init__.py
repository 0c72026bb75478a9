"""Esser et al. 2020 (arXiv 1902.08153): weights and activations whose step is learned, on LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.lsq.experiment import FULL, WAYS, reproduce
from lightnn.papers.lsq.tables import format_tables

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="lsq",
    title="steps that are learned",
    arxiv="1902.08153",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
