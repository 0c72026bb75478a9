"""The orders as a table of at most 80 columns."""

import statistics

from lightnn.tables import text_table

NOTES = """\
error: on the test images, mean over the seeds; in brackets half of the range.
packed: without Huffman's codes and headers. Of networks trained equally long
compare those with equal numbers of words. gzip: of the plain float32 numbers.
The first seed's bytes."""


def format_tables(result: dict) -> str:
    """A row for each network, in the order of training; what general compressors do; what the columns mean."""
    dense = result["networks"]["reference"]["bytes"]["file"]
    rows = [_row(name, row, dense) for name, row in result["networks"].items()]
    caption = (
        f"LeNet-5, {result['images']:,} images of MNIST, {result['epochs']} epochs after each technique, "
        f"seeds {', '.join(map(str, result['seeds']))}"
    )
    head = ["done, in order", "error %", "kept %", "file", "x", "packed", "gzip"]
    return "\n".join([caption, text_table("", head, rows), "", NOTES])


def _row(name, row, dense):
    errors, sizes = row["error %"], row["bytes"]
    spread = f" ({(max(errors) - min(errors)) / 2:.2f})" if len(errors) > 1 else ""
    error = f"{statistics.mean(errors):.2f}{spread}"
    return [name, error, f"{row['kept %']:.1f}", sizes["file"], f"{dense / sizes['file']:.1f}", sizes["packed"],
            sizes["gzip"]]  # fmt: skip
