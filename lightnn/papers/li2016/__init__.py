"""Li et al. 2017 (arXiv 1608.08710): filter pruning, counted exactly and tried on small networks."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.li2016.controls import records, reproduce
from lightnn.papers.li2016.experiment import FULL, METHODS, QUICK, choose
from lightnn.papers.li2016.tables import format_tables

__all__ = ["FULL", "METHODS", "PAPER", "QUICK", "choose", "format_tables", "reproduce"]

PAPER = Paper(
    name="li2016",
    title="filter pruning, counted, timed",
    arxiv="1608.08710",
    minutes=30,
    quick_minutes=5,
    reproduce=reproduce,
    format_tables=format_tables,
    records=records,
)
