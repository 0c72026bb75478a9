"""Drawings that several cells of the book share: `from lightnn.study import plots`. One file a subject."""
