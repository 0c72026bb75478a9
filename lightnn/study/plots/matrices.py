"""Small matrices: with their numbers written in, for examples by hand, or as a pattern of dark and light cells."""

import numpy as np


def draw_matrix(ax, values: np.ndarray, title: str = "", marked: np.ndarray | None = None, cross=None) -> None:
    """Draw values (H, W) on ax, the first row on top, each number in its cell.

    marked: truth values (H, W) of the cells to shade. cross: (row, column) of the one cell with a thick frame."""
    import matplotlib.pyplot as plt

    shade = np.zeros(np.shape(values)) if marked is None else np.asarray(marked, float)
    draw_pattern(ax, shade / 2, title)
    for (row, column), value in np.ndenumerate(values):
        weight = "bold" if shade[row, column] else "normal"
        ax.text(column + 0.5, row + 0.5, f"{value:g}", ha="center", va="center", fontsize=11, weight=weight)
    if cross is not None:
        row, column = cross
        ax.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, lw=3))


def draw_pattern(ax, cells: np.ndarray, title: str = "") -> None:
    """Draw cells (H, W) from 0, light, to 1, dark, on ax, the first row on top."""
    height, width = np.shape(cells)
    ax.pcolormesh(cells, cmap="Blues", vmin=0, vmax=1.3, edgecolors="0.5", lw=0.6, clip_on=False)
    ax.set(xticks=[], yticks=[], aspect="equal", ylim=(height, 0), xlim=(0, width))
    ax.set_title(title, fontsize=10)
