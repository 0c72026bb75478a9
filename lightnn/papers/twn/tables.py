"""Our ternary LeNet-5 beside the paper's (Li, Zhang & Liu 2016, arXiv 1605.04711, the table of accuracies).

Its figures for MNIST were read in notes on the paper, not in the paper: TWN 99.35 %, binary weights 99.05 %, floats
99.41 %."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

NAMES = ("D = 0.7 E|W|", "D = 0.75 E|W|")
BESIDE = Beside(
    paper={"float control": "99.41", NAMES[0]: "99.35"},
    aims=dict.fromkeys(NAMES, Aim(accuracy=99.2)),
    notes=(
        "Paper (arXiv 1605.04711, table 2): this network on MNIST, with 0.7 E|W|; read in",
        "notes on the paper, unverified in the paper itself. All layers are ternary.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison and the paper's figures, as text of at most 80 columns."""
    return format_comparison(result, BESIDE)
