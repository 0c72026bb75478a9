"""What was measured for several seeds: a row for each network, a dot for each seed, a bar at their mean."""

from collections.abc import Mapping, Sequence

import numpy as np

from lightnn.study.book.style import COLORS


def draw_seeds(ax, values: Mapping[str, Sequence[float]], rows: Sequence[str], controls: Sequence[str] = ()) -> None:
    """Draw values, {row: one number for each seed}, in the order of rows, the first on top.

    controls: the rows to compare the others with; they are squares of another colour."""
    for i, row in enumerate(rows):
        look = {"marker": "s", "color": COLORS[1]} if row in controls else {"marker": "o", "color": COLORS[0]}
        ax.plot(values[row], [i] * len(values[row]), ls="", alpha=0.8, **look)
        ax.plot(np.mean(values[row]), i, "k|", ms=16, mew=2)
    largest = max(max(values[row]) for row in rows)
    ax.set(xlim=(0, 1.08 * largest), ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(axis="x", color="0.85")
