"""Our comparison of gradient codecs, and what QSGD's paper says of its own (Alistarh et al. 2017, arXiv 1610.02132).

The paper's networks and its clusters are not ours, so no row stands beside one of its rows. Its abstract gives one
figure: ResNet-152 on ImageNet reaches full accuracy on 16 GPUs 1.8 times as fast as without compression.
"""

from lightnn.papers.lab.exchange import format_comparison


def format_tables(result: dict) -> str:
    """The comparison and the paper's figure, as text of at most 80 columns."""
    return "\n".join([format_comparison(result), "", *NOTES])


NOTES = (
    "Paper (arXiv 1610.02132, abstract): ResNet-152 on ImageNet with 16 GPUs trains",
    "to full accuracy 1.8 x as fast. That is time, not bytes, and was not measured",
    "here. Figures of its tables are unverified, so none is shown.",
)
