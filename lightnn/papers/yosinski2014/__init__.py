"""Yosinski, Clune, Bengio & Lipson 2014 (arXiv 1411.1792): how transferable the layers of a network are."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.yosinski2014.experiment import FULL, QUICK, reproduce
from lightnn.papers.yosinski2014.tables import format_tables

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="yosinski2014",
    title="which layers can be transferred",
    arxiv="1411.1792",
    minutes=6,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
