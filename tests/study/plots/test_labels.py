"""lightnn/study/plots/labels.py: names that cover neither each other nor a point."""

import itertools

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest

from lightnn.study.plots.labels import POINT, overlap, place_labels, plain_ticks


def boxes_and_points(x, y, names, **look):
    figure, ax = plt.subplots(figsize=(4, 3), layout="constrained")
    ax.scatter(x, y)
    ax.set(**look)
    texts = place_labels(ax, x, y, names)
    figure.draw_without_rendering()
    boxes = [t.get_window_extent().extents for t in texts]
    points, frame = ax.transData.transform(np.column_stack([x, y])), ax.get_window_extent().extents
    lines = len(ax.lines)
    plt.close(figure)
    assert [t.get_text() for t in texts] == list(names)
    return boxes, points, frame, lines


@pytest.mark.parametrize("look", [{}, {"xscale": "log", "xlabel": "MACs"}])
def test_names_cover_nothing(look):
    rng = np.random.default_rng(0)
    x, y = 1 + rng.random(14), rng.random(14)
    x[:5], y[:5] = 1.5 + 0.01 * np.arange(5), 0.5  # five in one place
    boxes, points, frame, lines = boxes_and_points(x, y, [f"network {i}" for i in range(14)], **look)
    assert all(overlap(a, b) == 0 for a, b in itertools.combinations(boxes, 2))
    dots = [(*(p - POINT + 1), *(p + POINT - 1)) for p in points]
    assert all(overlap(box, dot) == 0 for box in boxes for dot in dots)
    assert all(b[0] >= frame[0] - 1 and b[2] <= frame[2] + 1 for b in boxes) and lines > 0


def test_a_name_with_room_stands_right_of_its_point():
    [box], [point], _, lines = boxes_and_points([1.0], [2.0], ["alone"])
    assert 0 < box[0] - point[0] < 12 and box[1] < point[1] < box[3] and lines == 0


@pytest.mark.parametrize(
    ("other", "area"), [((1, 1, 3, 3), 1), ((0, 0, 2, 2), 4), ((2, 0, 3, 2), 0), ((5, 5, 6, 6), 0)]
)
def test_overlap(other, area):
    assert overlap((0, 0, 2, 2), other) == area


@pytest.mark.parametrize("axis", ["x", "y"])
def test_ticks_are_plain_numbers(axis):
    figure, ax = plt.subplots()
    ax.plot([3, 4000], [3, 4000])
    ax.set(xscale="log", yscale="log")
    plain_ticks(ax, axis)
    figure.draw_without_rendering()
    texts = [t.get_text() for t in getattr(ax, f"get_{axis}ticklabels")(which="both")]
    assert {"5", "10", "200", "1,000"} <= set(texts) and not any("^" in t for t in texts)
    plt.close(figure)
