"""A learned clip beside a fixed one, and what the paper says (Choi et al. 2018, arXiv 1805.06085)."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

BESIDE = Beside(
    aims={"4 bits, a learned": Aim(loss=0.2)},
    notes=(
        "Paper (arXiv 1805.06085), ResNet-18 on ImageNet: 64.4, 68.1 and 69.2 % with 2, 3",
        "and 4 bits; read in a later paper's code (N2UQ), not in the paper itself. MNIST",
        "and LeNet-5 are our stand-in. First and last layer: floats, as in the paper.",
        "In so few steps a moves by less than 0.01, so this run does not tell a learned",
        "clip from a fixed one.",
    ),
)


def clips(rows):
    """A line of where a was left, for each way that has one."""
    found = {name: row["a"] for name, row in rows.items() if "a" in row}
    return [f"{name}: a = {', '.join(map(str, a))}" for name, a in found.items()]


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE, clips)
