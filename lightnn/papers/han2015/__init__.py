"""Han et al. 2015 (arXiv 1506.02626): weight pruning of both LeNets."""

from lightnn.papers.han2015.experiment import FULL, QUICK, reproduce
from lightnn.papers.han2015.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="han2015",
    title="weight pruning of both LeNets",
    arxiv="1506.02626",
    minutes=20,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_tables,
)
