"""Our errors beside those of table 2 of BinaryConnect (Courbariaux, Bengio & David 2015, arXiv 1511.00363)."""

from lightnn.papers.lab.one_bit_tables import Beside, format_errors

BESIDE = Beside(
    paper={
        "floats": "1.30+-0.04",
        "deterministic": "1.29+-0.08",
        "stochastic: latent weights": "1.18+-0.04",
    },
    aims={"deterministic": 1.4},
    notes=(
        "Paper (arXiv 1511.00363, table 2): the mean of six runs of up to 1000 epochs, with",
        "SGD; read in notes on the paper. After training with random signs it tests the",
        "latent weights, floats. norms again: the statistics of the batch norms measured",
        "for the weights that are tested, on the training images.",
    ),
)


def format_tables(result: dict) -> str:
    """The errors and the paper's figures, as text of at most 80 columns."""
    return format_errors(result, BESIDE)
