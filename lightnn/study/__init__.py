"""What a chapter imports: figures in one style, sources, sliders and the table of exercises.

- `book/`: the chapters, opened in JupyterLab, executed, compared and checked; what they display.
- `exercises/`: what the reader writes, and the grading of it.

`book` may import `exercises`, never the other way round.
"""

from lightnn.study.book import COLORS, HATCHES, chapter, execute, figure, open_lab, show, show_exercises, turn

__all__ = ["COLORS", "HATCHES", "chapter", "execute", "figure", "open_lab", "show", "show_exercises", "turn"]
