"""Han et al. 2015 (arXiv 1506.02626): weight pruning of both LeNets."""

from lightnn.papers.han2015.experiment import FULL, QUICK, reproduce
from lightnn.papers.han2015.tables import format_tables

__all__ = ["FULL", "QUICK", "format_tables", "reproduce"]
