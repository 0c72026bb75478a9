"""He et al. 2018 (arXiv 1802.03494): an agent that chooses how much of each layer stays."""

from lightnn.papers.amc.experiment import FULL, QUICK, reproduce
from lightnn.papers.amc.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="amc",
    title="an agent prunes, layer by layer",
    arxiv="1802.03494",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
