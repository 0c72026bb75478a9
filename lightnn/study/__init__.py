"""Studying: the chapters in JupyterLab, and what they show things with."""

from lightnn.study.launch import chapter, execute, open_lab
from lightnn.study.show import show
from lightnn.study.style import COLORS, HATCHES, figure

__all__ = ["COLORS", "HATCHES", "chapter", "execute", "figure", "open_lab", "show"]
