"""Lin et al. 2018 (arXiv 1712.01887): Deep Gradient Compression, with its warm-up and without, on LeNet-5."""

from lightnn.papers.dgc.experiment import FULL, QUICK, reproduce, ways
from lightnn.papers.dgc.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce", "ways"]

PAPER = Paper(
    name="dgc",
    title="one gradient in a thousand",
    arxiv="1712.01887",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
