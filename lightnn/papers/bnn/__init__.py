"""Courbariaux, Hubara et al. 2016 (arXiv 1602.02830): binary weights and activations, fully connected."""

from lightnn.papers.bnn.experiment import FULL, WAYS, reproduce
from lightnn.papers.bnn.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="bnn",
    title="binary weights and activations",
    arxiv="1602.02830",
    minutes=20,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
