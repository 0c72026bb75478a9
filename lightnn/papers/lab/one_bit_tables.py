"""The table of the experiments on one bit (one_bit.py): the paper's errors beside ours, and what was aimed at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lightnn.tables import text_table


@dataclass(frozen=True)
class Beside:
    """What stands beside our numbers: the paper's errors by way, or by "way: form"; the errors aimed at in %; notes."""

    paper: Mapping[str, str] = field(default_factory=dict)
    aims: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def format_errors(result: dict, beside: Beside) -> str:
    """A row for each way and below it its other forms, at most 80 columns, then the notes."""
    rows = [row for name, way in result["ways"].items() for row in _rows(name, way, beside)]
    plan = f"{result['epochs']} epochs of {result['images']:,} images for each way"
    caption = f"{result['network']}, from its initial weights:\n{plan}; seed {result['seed']}"
    head = ["", "W/A", "paper", "valid.", "test", "bytes", "aim"]
    return "\n".join([caption, text_table("", head, rows), *NOTES, "", *beside.notes])


NOTES = (
    "W/A: bits of weights and activations. Errors in %: valid., on the last 10,000",
    "training images, which chose the epoch; test, on the test images. bytes: of the",
    "file. One seed: 0.1 point is 10 images, no more than chance gives.",
)


def _rows(name, way, beside):
    yield _row(name, name, way, beside, f"{way['weights']}/{way['activations']}", f"{way['bytes']:,}")
    for form, errors in way["forms"].items():
        yield _row(f"  {form}", f"{name}: {form}", errors, beside, "", "")


def _row(shown, name, errors, beside, bits, size):
    test, aim = errors["test error %"], beside.aims.get(name)
    met = "" if aim is None else f"<= {aim:g} {'yes' if test <= aim else 'no'}"
    return [shown, bits, beside.paper.get(name, ""), f"{errors['validation error %']:.2f}", f"{test:.2f}", size, met]
