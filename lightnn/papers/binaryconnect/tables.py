"""Our errors beside those of table 2 of BinaryConnect (Courbariaux, Bengio & David 2015, arXiv 1511.00363)."""

from lightnn.papers.lab.one_bit_tables import Beside, format_errors

BESIDE = Beside(
    paper={
        "floats": "1.30",
        "deterministic": "1.29",
        "stochastic: latent weights": "1.18",
    },
    aims={"deterministic": 1.4},
    notes=(
        "Paper (arXiv 1511.00363, table 2): up to 1000 epochs of SGD, +-0.04 (floats,",
        "stochastic) and +-0.08 from run to run; read in notes on the paper. Trained on",
        "random signs, it tests the latent weights, floats. norms again: the statistics",
        "of the batch norms measured for what is tested, on training images.",
    ),
)


def format_tables(result: dict) -> str:
    """The errors and the paper's figures, as text of at most 80 columns."""
    return format_errors(result, BESIDE)
