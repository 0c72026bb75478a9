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

PAPER = Paper("deep-compression", "both LeNets, tables 1 to 3", "1510.00149", 10, 2, reproduce, format_tables, records)
