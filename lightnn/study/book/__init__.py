"""The chapters: open them, run them, check them, and what they display.

For the command line:

- `launch.py`: finds a chapter and opens it in JupyterLab
- `copies.py`: the reader's copies of the chapters
- `running.py`: runs chapters without JupyterLab, and compares what they print with what is committed
- `tags.py`: the tags on cells that say how closely the outputs must agree
- `lint.py`: what every chapter must have, checked without running it
- `lesson.py`: the parts of a lesson: predictions, exercises, what to remember, code that is fit to be read
- `prose.py`: the numbers and the comparisons in a text
- `cites.py`: whether each of them has its source or its assertion
- `pages.py`, `page_frame.py`: the book as static pages, with navigation and search

For the chapters:

- `sources.py`: the source of a reference function; committed results; the table of a chapter's exercises
- `compressed.py`: every compressed network in the committed results
- `survey.py`: the survey's terms, and where the book has them
- `wrapping.py`: a source's long lines, broken
- `plots.py`: figures with sliders, and figures that are drawn again while a cell runs
- `claims.py`: what the prose says of times that are measured while a chapter runs
- `style.py`: one look for all figures
"""

from lightnn.study.book.claims import timed
from lightnn.study.book.compressed import Variant, variants
from lightnn.study.book.launch import chapter, numbers, open_lab
from lightnn.study.book.lint import lint_chapters
from lightnn.study.book.plots import Live, turn
from lightnn.study.book.running import execute, execute_and_compare
from lightnn.study.book.sources import result, show, show_exercises
from lightnn.study.book.style import COLORS, HATCHES, figure
from lightnn.study.book.survey import show_survey

__all__ = [
    "COLORS",
    "HATCHES",
    "Live",
    "Variant",
    "chapter",
    "execute",
    "execute_and_compare",
    "figure",
    "lint_chapters",
    "numbers",
    "open_lab",
    "result",
    "show",
    "show_exercises",
    "show_survey",
    "timed",
    "turn",
    "variants",
]
