"""Jacob et al. 2018 (arXiv 1712.05877): integer inference, after training and with it, on LeNet-5."""

from lightnn.papers.jacob2018.experiment import FULL, WAYS, reproduce
from lightnn.papers.jacob2018.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="jacob2018",
    title="integers of 8 and of 4 bits",
    arxiv="1712.05877",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
