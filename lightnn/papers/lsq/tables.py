"""Learned steps on our network, and what the paper says (Esser et al. 2020, arXiv 1902.08153)."""

from lightnn.papers.lab.low_bits_tables import Asked, Beside, format_comparison

BESIDE = Beside(
    asked={"W2 A2": Asked(loss=0.5), "W4 A4": Asked(loss=0.2)},
    notes=(
        "Paper (arXiv 1902.08153, abstract): networks of 3 bits reach the accuracy of",
        "floats on ImageNet. Figures of its tables are unverified, so none is shown.",
        "MNIST and LeNet-5 are our stand-in. First and last layer: 8 bits, as there.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE)
