"""Learned steps on our network, and what the paper says (Esser et al. 2020, arXiv 1902.08153)."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

BESIDE = Beside(
    aims={"W2 A2": Aim(loss=0.5), "W4 A4": Aim(loss=0.2)},
    notes=(
        "Paper (arXiv 1902.08153, table 1), ResNet-18 on ImageNet: 67.6, 70.2 and 71.1 %",
        "with 2, 3 and 4 bits, 70.5 % in floats; read in notes on the paper and in a",
        "later paper's code (N2UQ), not in the paper itself. MNIST and LeNet-5 are our",
        "stand-in. First and last layer: 8 bits, as there.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE)
