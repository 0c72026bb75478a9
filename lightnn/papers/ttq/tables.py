"""Learned ternary values beside measured ones, and what the paper says (Zhu et al. 2017, arXiv 1612.01064)."""

from lightnn.papers.lab.low_bits_tables import Beside, format_comparison

BESIDE = Beside(
    notes=(
        "Paper (arXiv 1612.01064, abstract): TTQ is 0.04, 0.16 and 0.36 points better",
        "than floats for ResNet-32, 44 and 56 on CIFAR-10, 0.3 better than floats and 3",
        "better than earlier ternary networks for AlexNet on ImageNet (top 1). MNIST and",
        "LeNet-5 are our stand-in. First and last layer: floats, as in the paper.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE)
