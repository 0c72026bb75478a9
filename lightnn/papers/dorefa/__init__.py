"""Zhou et al. 2016 (arXiv 1606.06160): few bits, gradients too, on LeNet-5."""

from lightnn.papers.dorefa.experiment import FULL, WAYS, reproduce
from lightnn.papers.dorefa.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="dorefa",
    title="few bits, gradients too",
    arxiv="1606.06160",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
