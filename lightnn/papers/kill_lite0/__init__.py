"""Stock et al. 2020 (arXiv 1907.05686) on EfficientNet-Lite0: it needs no labels, so photographs will do."""

from lightnn.papers.kill_lite0.experiment import FULL, QUICK, WAYS, reproduce
from lightnn.papers.kill_lite0.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "WAYS", "format_tables", "reproduce"]

PAPER = Paper(
    name="kill-lite0",
    title="blocks of Lite0, no labels",
    arxiv="1907.05686",
    minutes=15,
    quick_minutes=5,
    reproduce=reproduce,
    format_tables=format_tables,
    records=lambda result: {"kill_lite0.json": result},
)
