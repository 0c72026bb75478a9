"""Figures that change: with sliders, and while a cell runs."""

import time
from collections.abc import Callable


def turn(draw: Callable, **ranges: tuple[int, int, int]) -> None:
    """Show the figure of draw(name=value, ...) under sliders; ranges: name=(start, lowest, highest), integers.

    The first figure is stored in the notebook like any other output, so a reader without a kernel sees it. With a
    kernel, moving a slider redraws it. Needs ipywidgets; ValueError unless `draw` shows exactly one figure.
    """
    import ipywidgets
    from IPython.display import display

    sliders = {
        name: ipywidgets.IntSlider(start, low, high, description=name) for name, (start, low, high) in ranges.items()
    }
    display(ipywidgets.HBox(list(sliders.values())))
    handle = display(_picture(draw, sliders), raw=True, display_id=True)

    def redraw(_):
        handle.update(_picture(draw, sliders), raw=True)

    for slider in sliders.values():
        slider.observe(redraw, "value")


class Live:
    """A figure that is drawn again while a cell runs: `live = Live(draw)`, then `live(...)` as often as there is news.

    draw(...) shows one figure. It is drawn at most every `seconds`; `live.last(...)` draws in any case, and its figure
    is what stays in the notebook. ValueError unless `draw` shows exactly one figure.
    """

    def __init__(self, draw: Callable, seconds: float = 0.5):
        self.draw, self.seconds = draw, seconds
        self._handle, self._drawn = None, -float("inf")

    def __call__(self, *args, **options) -> None:
        if time.monotonic() - self._drawn >= self.seconds:
            self.last(*args, **options)

    def last(self, *args, **options) -> None:
        from IPython.display import display

        picture = _shown(lambda: self.draw(*args, **options), "Live")
        if self._handle is None:
            self._handle = display(picture, raw=True, display_id=True)
        else:
            self._handle.update(picture, raw=True)
        self._drawn = time.monotonic()


def _picture(draw, sliders):
    """The figure that draw shows at the sliders' values, as display data."""
    return _shown(lambda: draw(**{name: slider.value for name, slider in sliders.items()}), "turn")


def _shown(call, who):
    """The one figure that call() shows, as display data."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        call()
    pictures = [output.data for output in captured.outputs if "image/png" in output.data]
    if len(pictures) != 1:
        raise ValueError(f"{who}: want draw to show one figure, got {len(pictures)}")
    return pictures[0]
