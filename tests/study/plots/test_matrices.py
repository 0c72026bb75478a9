"""lightnn/study/plots/matrices.py: every number is written, in its place."""

import numpy as np
import pytest


def test_a_matrix_is_drawn_with_its_first_row_on_top():
    pytest.importorskip("matplotlib", reason="pictures need matplotlib: pip install -e .[study]")
    from matplotlib.figure import Figure

    from lightnn.study.plots.matrices import draw_matrix

    ax = Figure().subplots()
    draw_matrix(ax, np.array([[1, 2.5, -3], [4, 5, 6]]), "a title", marked=[[1, 0, 0], [0, 0, 0]], cross=(1, 2))
    placed = {(text.get_position(), text.get_text(), text.get_weight()) for text in ax.texts}
    assert ((0.5, 0.5), "1", "bold") in placed and ((1.5, 0.5), "2.5", "normal") in placed
    assert ((2.5, 1.5), "6", "normal") in placed and len(placed) == 6
    assert ax.get_ylim() == (2, 0) and ax.get_title() == "a title" and len(ax.patches) == 1
