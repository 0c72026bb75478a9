"""How far a pixel sees, as a table of at most 80 columns: means over the seeds, and in brackets half of their range."""

from lightnn.papers.lab.spread import cell
from lightnn.tables import text_table


def format_tables(result: dict) -> str:
    """A row for each way."""
    rows = [
        [way, cell(row["mIoU %"]), cell(row["pixels right %"]), f"{row['parameters']:,}", f"{row['macs'] / 1e6:.1f}"]
        for way, row in result["ways"].items()
    ]
    caption = f"how far does a pixel see? ({result['scenes']:,} scenes, {result['epochs']} epochs)"
    return text_table(caption, ["", "mIoU %", "pixels right %", "parameters", "M MACs"], rows)
