"""Choi et al. 2018 (arXiv 1805.06085): activations whose clip is learned, on LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.pact.experiment import FULL, WAYS, reproduce
from lightnn.papers.pact.tables import format_tables

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="pact",
    title="activations with a learned clip",
    arxiv="1805.06085",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
