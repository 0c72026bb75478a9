"""Studying: the chapters in JupyterLab, and what they show things with."""

from lightnn.study.launch import chapter, execute, open_lab
from lightnn.study.show import exercises, show, turn
from lightnn.study.style import COLORS, HATCHES, figure

__all__ = ["COLORS", "HATCHES", "chapter", "execute", "exercises", "figure", "open_lab", "show", "turn"]
