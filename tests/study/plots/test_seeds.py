"""lightnn/study/plots/seeds.py: a row for each network, the first on top, and the mean where it belongs."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from lightnn.study.plots.seeds import draw_seeds


def test_rows_from_the_top_with_their_means():
    figure, ax = plt.subplots()
    draw_seeds(ax, {"whole": [1, 2, 6], "thin": [4, 4, 4]}, ["whole", "thin"], controls=["whole"])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["whole", "thin"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    dots, mean, *_ = ax.lines
    assert list(dots.get_xdata()) == [1, 2, 6] and dots.get_marker() == "s"
    assert mean.get_xdata() == pytest.approx([3]) and list(mean.get_ydata()) == [0]
    plt.close(figure)
