"""Han, Mao & Dally 2016 (arXiv 1510.00149): Deep Compression of both LeNets."""

from lightnn.papers.deep_compression.dense_control import format_control
from lightnn.papers.deep_compression.experiment import (
    SUBJECTS,
    compress_network,
    prune_layers,
    results,
    share_layers,
)
from lightnn.papers.deep_compression.imagenet import format_imagenet
from lightnn.papers.deep_compression.reproduction import format_all, records, reproduce
from lightnn.papers.deep_compression.tables import count_layers, format_tables
from lightnn.papers.lab.registry import Paper

__all__ = [
    "PAPER",
    "SUBJECTS",
    "compress_network",
    "count_layers",
    "format_control",
    "format_imagenet",
    "format_tables",
    "prune_layers",
    "records",
    "reproduce",
    "results",
    "share_layers",
]

PAPER = Paper(
    name="deep-compression",
    title="both LeNets and a control",
    arxiv="1510.00149",
    minutes=20,
    quick_minutes=3,
    reproduce=reproduce,
    format_tables=format_all,
    records=records,
)
