"""Drawings of the book that are more than a few lines, or stand in several cells.

- `field.py`: chapter 01's map of the field
- `blocks.py`: a block of a network as boxes and arrows, drawn from the module
- `codes.py`: which code each number gets; a chain of boxes with the bits of what they give
"""

from lightnn.study.plots.field import draw_field

__all__ = ["draw_field"]
