"""DeepLab (Chen et al. 2017, arXiv 1706.05587), small: what dilation does for a segmentation of synthetic scenes."""

from lightnn.papers.deeplab.experiment import FULL, QUICK, picture, reproduce
from lightnn.papers.deeplab.tables import format_tables
from lightnn.papers.lab.registry import Paper

__all__ = ["FULL", "PAPER", "QUICK", "format_tables", "picture", "reproduce"]

PAPER = Paper(
    name="deeplab",
    title="dilation for segmentation",
    arxiv="1706.05587",
    minutes=12,
    quick_minutes=1,
    reproduce=reproduce,
    format_tables=format_tables,
)
