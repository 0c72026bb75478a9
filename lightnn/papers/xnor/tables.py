"""Our binary LeNet-5 beside what papers say of one bit (Rastegari et al. 2016, arXiv 1603.05279)."""

from lightnn.papers.lab.low_bits_tables import Aim, Beside, format_comparison

BESIDE = Beside(
    paper={"BWN": "99.05"},
    aims={"BWN": Aim(accuracy=99.1), "XNOR": Aim(accuracy=98.5)},
    notes=(
        "99.05 % is what table 2 of TWN (arXiv 1605.04711) has for this network, with all",
        "four layers binary; read in notes on the paper. XNOR-Net (arXiv 1603.05279, its",
        "table 4) has AlexNet on ImageNet, top 1: 56.6 % in floats, 56.8 % with binary",
        "weights, 44.2 % with signs too. First and last layer: floats, as there.",
    ),
)


def format_tables(result: dict) -> str:
    """The comparison, what measuring batch norms again gave, and the papers' figures, at most 80 columns wide."""
    return format_comparison(result, BESIDE, norms_again)


def norms_again(rows: dict[str, dict]) -> list[str]:
    """A line for each way whose batch norms were measured again."""
    key = "test accuracy %, norms again"
    found = [(name, row["test accuracy %"], row[key]) for name, row in rows.items() if key in row]
    lines = [f"  {name:<22} {before:.2f} -> {after:.2f} %" for name, before, after in found]
    return ["", "with the statistics of the batch norms measured again on the training images:", *lines]
