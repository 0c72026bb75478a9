"""Han, Mao & Dally 2016 (arXiv 1510.00149): Deep Compression of both LeNets."""

from lightnn.papers.deep_compression.experiment import (
    SUBJECTS,
    compress_network,
    prune_layers,
    records,
    reproduce,
    results,
    share_layers,
)
from lightnn.papers.deep_compression.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = [
    "PAPER",
    "SUBJECTS",
    "compress_network",
    "format_tables",
    "prune_layers",
    "records",
    "reproduce",
    "results",
    "share_layers",
]

PAPER = Paper(
    name="deep-compression",
    title="both LeNets, tables 1 to 3",
    arxiv="1510.00149",
    minutes=10,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_tables,
    records=records,
)
