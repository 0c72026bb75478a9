"""One look for all figures: readable in greyscale, and on a light or a dark page."""

import contextlib

COLORS = ("#1b3a5c", "#d1733a", "#7fa6c9", "#5b5b5b", "#e2b04a", "#9a4c68")
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")


@contextlib.contextmanager
def figure(columns=1, rows=1, width=8.0, height=3.2):
    """`with figure(2) as axes:` one Axes, or an array of rows * columns, on a white page; shown at the end."""
    import matplotlib.pyplot as plt

    look = {
        "axes.prop_cycle": plt.cycler(color=COLORS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "white",
        "figure.dpi": 90,
        "font.size": 10,
        "legend.frameon": False,
    }
    with plt.rc_context(look):
        made, axes = plt.subplots(rows, columns, figsize=(width, height * rows), layout="constrained")
        yield axes
        plt.show()
        plt.close(made)
