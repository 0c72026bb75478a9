"""lightnn/study/plots/field.py: the map is drawn, with or without a Korean font, and names every chapter of its two
branches."""

import pytest

matplotlib = pytest.importorskip("matplotlib")

from lightnn.study.plots import draw_field, field  # noqa: E402


@pytest.fixture
def texts(monkeypatch):
    """The words of the figure that was shown last."""
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    seen = []
    monkeypatch.setattr(plt, "show", lambda: seen.extend(text.get_text() for text in plt.gca().texts))
    return seen


@pytest.mark.filterwarnings("ignore:Glyph")  # where the font that is asked for is not installed
@pytest.mark.parametrize("fonts", [(), ("DejaVu Sans",)])
def test_the_map_names_its_branches_and_chapters(texts, monkeypatch, fonts):
    monkeypatch.setattr(field, "FONTS", fonts)
    draw_field()
    words = "\n".join(texts)
    assert all(f"{number:02}" in words for number in range(2, 16))
    assert ("알고리즘 경량화" in words) == bool(fonts) and "light by design" in words


def test_each_method_says_what_it_starts_from():
    methods = [method for branch in field.BRANCHES.values() for method in branch]
    assert len(methods) == 9 and {method.start for method in methods} == set(field.LOOKS)
