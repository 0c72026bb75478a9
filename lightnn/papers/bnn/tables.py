"""Our error beside those of table 1 of BNN (Courbariaux, Hubara et al. 2016, arXiv 1602.02830)."""

from lightnn.papers.lab.one_bit_tables import Beside, format_errors

BESIDE = Beside(
    paper={"BNN": "1.40"},
    aims={"BNN": 1.5},
    notes=(
        "Paper (arXiv 1602.02830, table 1): 1.40 % with this network in Torch7; 0.96 %",
        "with 3 x 4096 units and dropout in Theano, after 1000 epochs; 1.29+-0.08 % with",
        "binary weights alone (BinaryConnect).",
    ),
)


def format_tables(result: dict) -> str:
    """The error and the paper's figures, as text of at most 80 columns."""
    return format_errors(result, BESIDE)
