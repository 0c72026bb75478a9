"""lightnn/study/plots/codes.py: each number points to its level, and the zero point stands out."""

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="pictures need matplotlib: pip install -e .[study]")

from matplotlib.figure import Figure

from lightnn.study.plots.codes import draw_chain, draw_codes


def test_each_number_points_to_its_level_and_a_clipped_one_by_a_dashed_arrow():
    ax = Figure().subplots()
    x = [-1.3, 0.7, 9.0]
    draw_codes(ax, x, scale=0.5, zero_point=2, q_min=0, q_max=7)
    arrows = [(t.xyann[0], t.xy[0], t.arrow_patch.get_linestyle()) for t in ax.texts if hasattr(t, "arrow_patch")]
    assert [a[:2] for a in arrows] == [(-1.3, -1.0), (0.7, 0.5), (9.0, 2.5)]
    assert [a[2] for a in arrows] == ["--", "-", "--"]
    codes = {t.get_text(): t.get_position()[0] for t in ax.texts if t.get_bbox_patch() is not None and t.get_text()}
    assert codes == {str(q): 0.5 * (q - 2) for q in range(8)}
    widths = {
        t.get_text(): t.get_bbox_patch().get_linewidth()
        for t in ax.texts
        if t.get_text() in codes and t.get_bbox_patch()
    }
    assert max(widths, key=widths.get) == "2"


def test_a_chain_has_an_arrow_between_two_boxes():
    ax = Figure().subplots()
    draw_chain(ax, [("read", "uint8", 8), ("multiply", "int32", 32), ("scale", "uint8", 8)])
    words = [t.get_text() for t in ax.texts]
    assert {"read", "multiply", "scale", "int32"} <= set(words) and words.count("") == 2
    assert len(ax.patches) == 6 and np.isclose(ax.get_xlim()[1], 2.42)
