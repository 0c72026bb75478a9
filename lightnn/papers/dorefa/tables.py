"""DoReFa's bits on our network, and the paper's figures (Zhou et al. 2016, arXiv 1606.06160)."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

BESIDE = Beside(
    aims={"W4 A4 G32": Aim(loss=0.2)},
    notes=(
        "Paper (arXiv 1606.06160, abstract): AlexNet with W1 A2 G6 reaches 46.1 % top 1",
        "on ImageNet. The authors' code (tensorpack, README of DoReFa-Net) gives errors:",
        "41.4 % in floats, 53.4 % with W1 A1 G32, 47.6 % with W1 A2 G6, 58.4 % with G4.",
        "MNIST and LeNet-5 are our stand-in. First and last layer: floats, as there.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE)
