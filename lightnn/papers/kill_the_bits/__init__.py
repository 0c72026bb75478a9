"""Stock et al. 2020 (arXiv 1907.05686): codebooks of blocks of weights, on a residual network."""

from lightnn.papers.kill_the_bits.experiment import FULL, QUICK, UNTUNED, WAYS, reproduce
from lightnn.papers.kill_the_bits.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "UNTUNED", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="kill-the-bits",
    title="codebooks of blocks of weights",
    arxiv="1907.05686",
    minutes=12,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
    records=lambda result: {"kill_the_bits.json": result},
)
