"""lightnn/study/plots/whole.py: every network of the records is in the figure, under its technique."""

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pytest

from lightnn.study import result, variants
from lightnn.study.plots.whole import LOOKS, draw_whole, kind_of, lenets, lite0s


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("prune distil share", "pruned, few values"),
        ("prune quantize", "pruned, few values"),
        ("distil quantize", "few bits"),
        ("pruned, shared", "pruned, few values"),
        ("pruned 50 %, batch norms", "pruned"),
        ("8 bits shared", "shared"),
        ("8 bits, balanced", "integers"),
        ("int8", "integers"),
        ("half the filters", "fewer filters"),
        ("distil", "floats"),
    ],
)
def test_the_technique_of_a_row(words, kind):
    assert kind_of(words) == kind in LOOKS


def test_every_lenet_and_every_lite0_is_drawn():
    found = lenets(variants(), result("techniques")["rows"])
    timed = [p for p in found if p.ms is not None]
    assert len(timed) == len(result("techniques")["rows"]) and len(found) - len(timed) > 30
    assert {p.kind for p in found} == set(LOOKS)
    floats = next(p for p in timed if p.kind == "floats")
    assert floats.fidelity == 0 and floats.size_bytes > 1_700_000
    rows = result("lite0")["rows"]
    lite = lite0s(rows, {"float32": 5.0})
    assert len(lite) == len(rows) and [p.ms for p in lite if p.ms] == [5.0]
    figure, axes = plt.subplots(2, 2, layout="constrained")
    draw_whole(axes, {"LeNet-5": (found, "points"), "Lite0": (lite, "%")})
    drawn = [sum(len(c.get_offsets()) for c in ax.collections) for ax in axes.flat]
    assert drawn == [len(found), len(timed), len(lite), 1]
    labels = [t.get_text() for t in figure.legends[0].get_texts()]
    plt.close(figure)
    assert labels == list(LOOKS)
