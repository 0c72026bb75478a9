"""Our comparison, the bytes by epoch, and what the paper says (Lin et al. 2018, arXiv 1712.01887).

Its abstract gives the ratios 270 to 600 without loss of accuracy, and the gradient of ResNet-50, 97 MB, in 0.35 MB,
that of DeepSpeech, 488 MB, in 0.74 MB.
"""

import statistics

from lightnn.papers.lab.exchange import compare, format_comparison
from lightnn.tables import text_table

PAPER_MB = {"ResNet-50": (97, 0.35), "DeepSpeech": (488, 0.74)}  # of one gradient: before, after


def format_tables(result: dict) -> str:
    """The comparison, the ratio by epoch and after the warm-up, and the paper's figures; at most 80 columns."""
    warm_up = result["warm-up epochs"]
    whole, late = compare(result), compare(result, warm_up)
    rows = [[name, f"{whole[name]['ratio']:.1f} x", f"{late[name]['ratio']:.1f} x"] for name in whole]
    ratios = text_table("", ["ratio", "whole run", f"after epoch {warm_up}"], rows)
    paper = [f"{name:<12}{a:6} MB -> {b} MB" for name, (a, b) in PAPER_MB.items()]
    sent = result["steps"] * (1 - result["sparsity"])
    waits = f"Without warm-up, a worker sends each number {sent:.2f} times in the run on average;"
    notes = [waits, "what waits at the end is lost.", *NOTES, *paper]
    return "\n".join([format_comparison(result), "", ratios, "", _by_epoch(result), "", *notes])


def _by_epoch(result):
    """Bytes a step in each epoch, means over the seeds."""
    each, rows = result["steps"] // result["epochs"], []
    for name, way in result["ways"].items():
        means = [statistics.mean(sizes) / each / 1e3 for sizes in zip(*way["bytes by epoch"], strict=True)]
        rows.append([name, *(f"{size:,.0f}" for size in means)])
    return text_table("kB a step", ["epoch", *map(str, range(1, result["epochs"] + 1))], rows)


NOTES = (
    "The longer a run is, the less its warm-up weighs; ours is short.",
    "Paper (arXiv 1712.01887, abstract): 270 x to 600 x without loss of accuracy, on",
    "larger networks. Its tables are unverified, so not shown. One gradient there:",
)
