"""Yang et al. 2019 (arXiv 1911.09464): quantization as a sum of sigmoids, on a residual network."""

from lightnn.papers.lab.registry import Paper
from lightnn.papers.quantization_networks.experiment import FULL, QUICK, reproduce
from lightnn.papers.quantization_networks.tables import format_tables, gains, losses
from lightnn.papers.quantization_networks.ways import LONG, WAYS

__all__ = ["FULL", "LONG", "PAPER", "QUICK", "WAYS", "format_tables", "gains", "losses", "reproduce"]

PAPER = Paper(
    name="quantization-networks",
    title="sigmoids that harden to steps",
    arxiv="1911.09464",
    minutes=25,
    quick_minutes=2,
    reproduce=reproduce,
    format_tables=format_tables,
    records=lambda result: {"quantization_networks.json": result},
)
