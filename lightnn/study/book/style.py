"""One look for all figures: readable in greyscale, and on a light or a dark page."""

import base64
import contextlib
import io
from collections.abc import Iterator

COLORS = ("#1b3a5c", "#d1733a", "#7fa6c9", "#5b5b5b", "#e2b04a", "#9a4c68")
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++")


@contextlib.contextmanager
def figure(columns: int = 1, rows: int = 1, width: float = 8.0, height: float = 3.2) -> Iterator:
    """A Matplotlib figure that is shown when the block ends: `with figure(2) as axes:`.

    Gives one Axes, or an array of rows × columns of them. width is the whole figure's, height one row's, in inches."""
    import matplotlib.pyplot as plt

    look = {
        "axes.prop_cycle": plt.cycler(color=COLORS),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "white",
        "figure.dpi": 90,
        "font.size": 10,
        "legend.frameon": False,
    }
    with plt.rc_context(look):
        made, axes = plt.subplots(rows, columns, figsize=(width, height * rows), layout="constrained")
        yield axes
        _display(made) if "inline" in plt.get_backend() else plt.show()
        plt.close(made)


def _display(figure):
    """Show the figure in a notebook, as `palette_png`."""
    from IPython.display import display

    png = base64.b64encode(palette_png(figure)).decode()
    display({"image/png": png, "text/plain": repr(figure)}, raw=True)


def palette_png(figure, colors: int = 128) -> bytes:
    """The figure as a PNG of that many colors: to the eye the same, in a quarter of the bytes."""
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    figure.savefig(full, format="png", bbox_inches="tight")
    picture = Image.open(full).convert("RGB").quantize(colors, dither=Image.Dither.NONE)
    picture.save(small, "PNG", optimize=True)
    return small.getvalue()
