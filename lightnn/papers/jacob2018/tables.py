"""Integer networks beside floats, their files beside the formula, and what the paper says (Jacob et al. 2018, arXiv
1712.05877)."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

BESIDE = Beside(
    aims={
        "rounded, per tensor": Aim(loss=0.05),
        "rounded, per channel": Aim(loss=0.05),
        "trained, W4 A4": Aim(loss=0.2),
    },
    notes=(
        "Paper (arXiv 1712.05877, table 4.1), ResNet-50, 100 and 150 on ImageNet: 76.4,",
        "78.0 and 78.8 % in floats, 74.9, 76.6 and 76.7 % in integers; read in a",
        "transcript of the paper. MNIST and LeNet-5 are our stand-in. First and last",
        "layer: as the others.",
    ),
)


def sizes(rows):
    """A line for each network of integers."""
    lines = ["", "bytes by the formula; of the file, with codes of K bits; classes that differ", ""]
    for name, row in rows.items():
        if "formula bytes" in row:
            formula, packed = row["formula bytes"], row["packed bytes"]
            both = f"{formula:,}  {packed:,} ({100 * (packed / formula - 1):+.2f} %)"
            lines.append(f"{name:<20}  {both}  {row['other classes']} other in integers")
    return lines


def format_tables(result: dict) -> str:
    """The comparison, the sizes and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE, sizes)
