"""The ablations as tables of at most 80 columns: means over the seeds, and in brackets half of their range."""

from lightnn.papers.lab.spread import cell
from lightnn.tables import text_table


def differences(better: dict, worse: dict) -> list[float]:
    """The points by which one variant is better than another, one for each seed."""
    return [round(a - b, 2) for a, b in zip(better["accuracy %"], worse["accuracy %"], strict=True)]


def format_tables(result: dict) -> str:
    """The questions, then depth and scaling."""
    found, seeds = result["ablations"], len(result["ablations"]["seeds"])
    plan = f"{found['images']:,} images, {found['epochs']} epochs, {seeds} seed{'s' * (seeds != 1)}"
    parts = [f"Fashion-MNIST at 14 x 14, {plan}; test accuracy in %"]
    head = ["", "accuracy", "parameters", "M MACs"]
    for question in found["questions"].values():
        rows = [_row(name, row) for name, row in question["variants"].items()]
        parts.append(text_table(f"{question['asks']} (equal: {question['equal']})", head, rows))
    deep = {
        f"{kind}, {depth} layers": row for kind in ("plain", "residual") for depth, row in found["depth"][kind].items()
    }
    parts.append(text_table("do shortcuts help?", head, [_row(name, row) for name, row in deep.items()]))
    return "\n\n".join([*parts, format_scaling(result["scaling"])])


def _row(name, row):
    return [name, cell(row["accuracy %"]), f"{row['parameters']:,}", f"{row['macs'] / 1e6:.2f}"]


def format_scaling(result: dict) -> str:
    """A row for each network of scaling.json."""
    base = result["networks"][0]["macs"]
    rows = [
        [
            f"{net['way']} {net['phi'] or ''}".strip(),
            f"{net['depth']:.2f} {net['width']:.2f} {net['resolution']:.2f}",
            f"{net['size']}",
            f"{net['parameters']:,}",
            f"{net['macs'] / 1e6:.2f}",
            f"{net['macs'] / base:.1f} x",
            cell(net["accuracy %"]),
        ]
        for net in result["networks"]
    ]
    head = ["", "d w r", "pixels", "parameters", "M MACs", "", "accuracy"]
    return text_table("what to spend MACs on?", head, rows)
