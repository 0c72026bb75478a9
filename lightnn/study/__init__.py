"""Studying: the chapters in JupyterLab, and what they show things with."""

from lightnn.study.book.launch import chapter, execute, open_lab
from lightnn.study.book.show import show, show_exercises, turn
from lightnn.study.book.style import COLORS, HATCHES, figure

__all__ = ["COLORS", "HATCHES", "chapter", "execute", "figure", "open_lab", "show", "show_exercises", "turn"]
