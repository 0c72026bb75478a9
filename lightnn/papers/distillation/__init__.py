"""Soft targets under control: ensembles of teachers, what else gains, losses on features, compressed students."""

from lightnn.papers.distillation.experiment import FULL, QUICK, reproduce
from lightnn.papers.distillation.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "reproduce"]

PAPER = Paper(
    name="distillation",
    title="ensembles, controls, few bits",
    arxiv="-",
    minutes=10,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
