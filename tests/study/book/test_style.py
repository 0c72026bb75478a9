"""lightnn/study/book/style.py: pictures in a notebook are small, and look the same."""

import io

import matplotlib
import numpy as np
import pytest

from lightnn.study.book import style

matplotlib.use("Agg")


@pytest.fixture
def drawn():
    from matplotlib import pyplot as plt

    made, ax = plt.subplots(figsize=(4, 3))
    ax.imshow(np.arange(400).reshape(20, 20), cmap="gray_r")
    ax.plot([0, 10, 19], [3, 15, 8], color=style.COLORS[1], lw=3)
    yield made
    plt.close(made)


def test_a_picture_with_a_palette_looks_the_same_and_is_smaller(drawn):
    from PIL import Image

    full = io.BytesIO()
    drawn.savefig(full, format="png", bbox_inches="tight")
    small = Image.open(io.BytesIO(style.palette_png(drawn)))
    assert small.mode == "P" and len(style.palette_png(drawn)) < 0.6 * len(full.getvalue())
    there, here = (np.asarray(im.convert("RGB"), int) for im in (Image.open(full), small))
    assert there.shape == here.shape and np.abs(there - here).mean() < 2


def test_only_a_notebook_gets_it_as_display_data(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    with style.figure(width=2, height=1):
        pass
    assert not shown
    monkeypatch.setattr("matplotlib.pyplot.get_backend", lambda: "module://matplotlib_inline.backend_inline")
    with style.figure(2, width=2, height=1):
        pass
    assert shown[0].keys() == {"image/png", "text/plain"} and "2 Axes" in shown[0]["text/plain"]
