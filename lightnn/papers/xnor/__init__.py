"""Rastegari et al. 2016 (arXiv 1603.05279): binary weight networks and XNOR-Net, on LeNet-5."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.xnor.experiment import FULL, WAYS, reproduce
from lightnn.papers.xnor.tables import format_tables

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="xnor",
    title="signs and scales, on LeNet-5",
    arxiv="1603.05279",
    minutes=20,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
