"""What a chapter shows things with: a reference function's source, a chapter's exercises, a plot with a slider."""

import inspect
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[3]


def show(fn):
    """Display the source of a lightnn function or class: the one that runs, with a link to its file and, if it is an
    exercise, its number and equation. Needs IPython."""
    from IPython.display import Code, Markdown, display

    number = getattr(fn, "exercise", None)
    fn = inspect.unwrap(fn)
    lines, first = inspect.getsourcelines(fn)
    lines = [line for line in lines if not line.startswith("@exercise(")]
    path = pathlib.Path(inspect.getsourcefile(fn)).relative_to(ROOT).as_posix()
    head = f"[`{path}`](../{path}), line {first}"
    if number is not None:
        from lightnn.study.exercises.sheets import sheet

        head += f" · exercise {number} · `{sheet(number).equation}`"
    display(Markdown(head), Code("".join(lines), language="python"))


def show_exercises(chapter):
    """Display the chapter's exercises as a table: number, function, what it is, how hard, how many hints."""
    from IPython.display import Markdown, display

    from lightnn.study.exercises.sheets import sheets

    rows = [f"| {s.number} | `{s.name}` | {s.title} | {s.level} | {len(s.hints)} |" for s in sheets(chapter)]
    display(Markdown("\n".join(["| | function | | | hints |", "|---|---|---|---|---|", *rows])))


def turn(draw, **ranges):
    """A plot with sliders: draw(name=value, ...) makes one figure; ranges: name=(start, lowest, highest) ints.

    The figure is an output like any other, so the page keeps the first one where no kernel runs; with a kernel, moving
    a slider redraws it.
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
