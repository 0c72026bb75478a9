"""Han et al. 2015 (arXiv 1506.02626): weight pruning of both LeNets."""

from lightnn.papers.han2015.experiment import FULL, QUICK, reproduce
from lightnn.papers.han2015.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper("han2015", "weight pruning of both LeNets", "1506.02626", 20, 2, reproduce, format_tables)
