"""EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946; Liu 2020) with its ImageNet weights, compressed untrained."""

from lightnn.papers.lab.photographs import crops
from lightnn.papers.lab.registry import Paper
from lightnn.papers.lite0.experiment import FULL, QUICK, reproduce
from lightnn.papers.lite0.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "crops", "format_tables", "reproduce"]

PAPER = Paper(
    name="lite0",
    title="a real network, not retrained",
    arxiv="1905.11946",
    minutes=20,
    quick_minutes=3,
    reproduce=reproduce,
    format_tables=format_tables,
)
