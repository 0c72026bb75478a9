"""Wu et al. 2018 (PocketFlow): learners that compress, and optimisers that choose their settings."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.pocketflow.experiment import FULL, QUICK, reproduce
from lightnn.papers.pocketflow.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="pocketflow",
    title="settings chosen by optimisers",
    arxiv="-",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
