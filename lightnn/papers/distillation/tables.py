"""Four tables: ensembles, controls, features, composition."""

import numpy as np

from lightnn.tables import text_table

CAPTION = "test errors of 10,000"


def mean(row: dict) -> float:
    """Test errors of a row of students, the mean over the seeds."""
    return float(np.mean(row["test errors"]))


def spread(row: dict) -> float:
    """Their standard deviation over the seeds."""
    errors = row["test errors"]
    return float(np.std(errors, ddof=1)) if len(errors) > 1 else 0.0


def format_tables(result: dict) -> str:
    """All, at most 80 columns wide."""
    caption = (
        f"{CAPTION}: {result['images']:,} training images, {result['seeds']} students a row; seed {result['seed']}\n"
        f"teachers 784-{result['teacher_units']}-{result['teacher_units']}-10, on moved images; "
        f"soft targets at T = {result['T']:g}"
    )
    return "\n\n".join([caption, _ensembles(result), _controls(result), _features(result), _composition(result)])


def _row(row):
    return [f"{mean(row):.1f}", f"{spread(row):.1f}"]


def _ensembles(result):
    head = ["teachers", "arithmetic", "geometric", "bytes", "ms", "student", "+-", "bytes", "ms"]
    rows = []
    for size, e in result["ensembles"].items():
        student = e["student"]
        costs = [f"{e['bytes']:,}", f"{e['ms']:.3f}"], [f"{student['bytes']:,}", f"{student['ms']:.3f}"]
        rows.append([size, e["arithmetic"], e["geometric"], *costs[0], *_row(student), *costs[1]])
    caption = f"several teachers as one, and one student of all (784-{result['units']}-{result['units']}-10)"
    return text_table(caption, head, rows)


def _controls(result):
    alone = mean(result["controls"]["alone"])
    rows = [[name, *_row(row), f"{mean(row) - alone:+.1f}"] for name, row in result["controls"].items()]
    return text_table("the same student otherwise", ["", "errors", "+-", "against alone"], rows)


def _features(result):
    rows = []
    for name, row in result["features"].items():
        rows.append([name, *_row(row), row.get("weight", "")])
    return text_table("losses on features, convolutional networks", ["", "errors", "+-", "weight"], rows)


def _composition(result):
    head = ["student", "bytes", "compressed", "labels", "+-", "soft targets", "+-"]
    rows = [
        [form, f"{c['bytes']:,}", f"{mean(c['compressed']):.1f}", *_row(c["labels"]), *_row(c["soft targets"])]
        for form, c in result["composition"].items()
    ]
    caption = (
        f"compressed students (784-{result['units']}-{result['units']}-10), then {result['later_epochs']} epochs more"
    )
    return text_table(caption, head, rows)
