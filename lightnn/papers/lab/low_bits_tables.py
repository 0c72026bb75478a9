"""The tables of the experiments on few bits (low_bits.py): the paper's figures beside ours, and the aims.

loss = accuracy of the control - accuracy of the way, in points,    ratio = bytes of the control / bytes of the way
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lightnn.papers.lab.low_bits import CONTROL
from lightnn.tables import text_table

FLOAT = 99.35  # %, aim for the float network


@dataclass(frozen=True)
class Aim:
    """The aim for a way: an accuracy of at least `accuracy` %, or a loss of at most `loss` points."""

    accuracy: float = 0.0
    loss: float = 100.0

    def __str__(self) -> str:
        return f">= {self.accuracy:g}" if self.accuracy else f"<= {self.loss:g}"

    def reached(self, row: dict) -> bool:
        """By a row of `compare`."""
        return row["test accuracy %"] >= self.accuracy and row["loss"] <= self.loss


@dataclass(frozen=True)
class Beside:
    """What stands beside our numbers: the paper's figures by way, the aims for ways, and notes below."""

    paper: Mapping[str, str] = field(default_factory=dict)
    aims: Mapping[str, Aim] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def compare(result: dict) -> dict[str, dict]:
    """{way: its numbers of `low_bits.measure`, and "loss" and "ratio"}: against the control, or against the reference
    if the way was not trained on."""
    rows = {}
    for name, way in result["ways"].items():
        floats = result["ways"][CONTROL] if way["trained"] else result["reference"]
        loss = round(floats["test accuracy %"] - way["test accuracy %"], 2)
        rows[name] = {**way, "loss": loss, "ratio": floats["bytes"] / way["bytes"]}
    return rows


def format_comparison(result: dict, beside: Beside, more: Callable[[dict], list[str]] = lambda rows: []) -> str:
    """A row for each way, at most 80 columns, then more(rows) and the notes."""
    rows, first = compare(result), result["reference"]
    columns = {"": list(rows), "W": _column(rows, "weights"), "A": _column(rows, "activations")}
    if beside.paper:
        columns["paper %"] = [beside.paper.get(name, "") for name in rows]
    columns |= _numbers(rows)
    columns["aim"] = [str(beside.aims.get(name, "")) for name in rows]
    columns["met"] = [_yes(beside.aims[name].reached(row)) if name in beside.aims else "" for name, row in rows.items()]
    caption = (
        f"{result['network']}: {result['reference epochs']} epochs in floats ({first['test accuracy %']:.2f} %), then "
        f"{result['epochs']}\nepochs of {result['images']:,} images for each way; seed {result['seed']}"
    )
    table = text_table("", list(columns), list(zip(*columns.values(), strict=True)))
    before, after = (_yes(row["test accuracy %"] >= FLOAT) for row in (first, rows[CONTROL]))
    gain = rows[CONTROL]["test accuracy %"] - first["test accuracy %"]
    notes = [
        f"aim for the float network: test >= {FLOAT} ({before} before, {after} as the control).",
        f"training on changed the floats by {gain:+.2f} points.",
    ]
    return "\n".join([caption, table, *NOTES, *notes, *more(rows), "", *beside.notes])


NOTES = (
    "W, A: bits of weights and activations. test %: accuracy; loss: points against",
    "the control, which trains on in floats for as many steps (against the floats",
    "before, for what is not trained on); bytes: of the file. aim: >= an accuracy,",
    "<= a loss. One seed: 0.1 point is 10 images, no more than chance gives.",
)


def _column(rows, key, form="{}"):
    return [form.format(row[key]) for row in rows.values()]


def _numbers(rows):
    """{head: column} of what was measured."""
    forms = {"test %": ("test accuracy %", "{:.2f}"), "loss": ("loss", "{:.2f}"), "bytes": ("bytes", "{:,}")}
    forms["ratio"] = "ratio", "{:.1f}x"
    return {head: _column(rows, key, form) for head, (key, form) in forms.items()}


def _yes(reached):
    return "yes" if reached else "no"
