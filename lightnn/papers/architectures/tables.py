"""The survey's table of structures and filters, measured: one row a family, at most 80 columns."""

from lightnn.tables import text_table

HEAD = ["", "test %", "K par.", "M MACs", "ms", "KB", "DC KB", "DC %", "i8 KB", "i8 %", "MB"]
FORMS = ("float", "Deep Compression", "int8")
NOTES = (
    "K par.: thousands of parameters. M MACs and ms: of one image. KB: of the file in",
    "floats; DC: after Deep Compression; i8: in 8-bit integers, not trained on.",
    "%: accuracy on the test images. MB: what a training step on 100 images holds.",
    "One seed and a short training: a point is no more than chance gives.",
)


def format_table(result: dict) -> str:
    """All families, in the order of their years."""
    rows = [_row(family, row) for family, row in result["families"].items()]
    caption = f"Fashion-MNIST, {result['images']:,} images, {result['epochs']} epochs; seed {result['seed']}"
    return "\n".join([caption, text_table("", HEAD, rows), *NOTES])


def _row(family, row):
    plain, dc, int8 = (row[form] for form in FORMS)
    counts = f"{row['parameters'] / 1e3:.0f}", f"{row['macs'] / 1e6:.1f}", f"{row['ms']:.1f}"
    sizes = f"{plain['bytes'] / 1e3:.0f}", f"{dc['bytes'] / 1e3:.0f}", f"{dc['test accuracy %']:.1f}"
    last = f"{int8['bytes'] / 1e3:.0f}", f"{int8['test accuracy %']:.1f}", f"{row['training bytes'] / 1e6:.0f}"
    return [family, f"{plain['test accuracy %']:.1f}", *counts, *sizes, *last]
