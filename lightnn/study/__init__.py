"""What a chapter imports: figures in one style, sources, sliders and the table of exercises.

- `book/`: the chapters, opened in JupyterLab, executed, compared and checked; what they display.
- `plots/`: drawings that several cells share
- `exercises/`: what the reader writes, and the grading of it.

Each may import what stands below it.
"""

from lightnn.study.book import (
    COLORS,
    HATCHES,
    Live,
    chapter,
    execute,
    figure,
    open_lab,
    result,
    show,
    show_exercises,
    show_survey,
    timed,
    turn,
    variants,
)

__all__ = [
    "COLORS",
    "HATCHES",
    "Live",
    "chapter",
    "execute",
    "figure",
    "open_lab",
    "result",
    "show",
    "show_exercises",
    "show_survey",
    "timed",
    "turn",
    "variants",
]
