"""Hinton, Vinyals & Dean 2015 (arXiv 1503.02531): soft targets, on MNIST."""

from lightnn.papers.hinton2015.experiment import FULL, QUICK, best_offset, reproduce
from lightnn.papers.hinton2015.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "best_offset", "format_tables", "reproduce"]

PAPER = Paper(
    name="hinton2015",
    title="soft targets, on MNIST",
    arxiv="1503.02531",
    minutes=90,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_tables,
)
