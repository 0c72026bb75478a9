"""Li et al. 2017 (arXiv 1608.08710): filter pruning, counted exactly and tried on small networks."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.li2016.experiment import FULL, METHODS, QUICK, choose, reproduce
from lightnn.papers.li2016.tables import format_tables

__all__ = ["FULL", "METHODS", "PAPER", "QUICK", "choose", "format_tables", "reproduce"]

PAPER = Paper("li2016", "filter pruning, counted and timed", "1608.08710", 20, 2, reproduce, format_tables)
