"""lightnn/study/book/plots.py: a live figure is drawn at once, then now and then, and at the end."""

import itertools

import pytest

from lightnn.study.book import plots

display = pytest.importorskip("IPython.display")


class Handle:
    def __init__(self):
        self.updates = []

    def update(self, picture, raw):
        self.updates.append(picture)


@pytest.fixture
def shown(monkeypatch):
    """What was displayed, and the updates of it; a picture is what draw returns."""
    first, handle = [], Handle()

    def show(picture, raw, display_id):
        first.append(picture)
        return handle

    monkeypatch.setattr(display, "display", show)
    monkeypatch.setattr(plots, "_shown", lambda call, who: call())
    return first, handle.updates


def test_a_live_figure_is_drawn_at_once_then_now_and_then_and_at_the_end(shown, monkeypatch):
    first, updates = shown
    seconds = itertools.chain([0.0, 0.0, 0.2, 0.4, 0.6, 0.6], itertools.repeat(0.7))
    monkeypatch.setattr(plots.time, "monotonic", lambda: next(seconds))
    live = plots.Live(lambda n: f"picture {n}")
    for n in range(4):
        live(n)
    assert (first, updates) == (["picture 0"], ["picture 3"])
    live.last(4)
    assert updates == ["picture 3", "picture 4"]


def test_a_draw_that_shows_nothing_is_said():
    pytest.importorskip("IPython.utils.capture")
    with pytest.raises(ValueError, match="Live: want draw to show one figure, got 0"):
        plots.Live(lambda: None).last()
