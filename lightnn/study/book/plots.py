"""A figure with sliders."""

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


def _picture(draw, sliders):
    """The figure that draw shows at the sliders' values, as display data."""
    from IPython.utils.capture import capture_output

    with capture_output() as captured:
        draw(**{name: slider.value for name, slider in sliders.items()})
    pictures = [output.data for output in captured.outputs if "image/png" in output.data]
    if len(pictures) != 1:
        raise ValueError(f"turn: want draw to show one figure, got {len(pictures)}")
    return pictures[0]
