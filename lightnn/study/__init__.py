"""Studying: the chapters in JupyterLab."""

from lightnn.study.launch import chapter, execute, open_lab

__all__ = ["chapter", "execute", "open_lab"]
