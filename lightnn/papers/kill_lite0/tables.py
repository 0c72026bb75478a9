"""EfficientNet-Lite0 in blocks: bytes and agreement, and the aim. The paper has no such network: no figures of it."""

from lightnn.tables import text_table

AIM_RATIO = 10  # times smaller than the floats' file; no agreement was aimed at, it is to be stated


def format_tables(result: dict) -> str:
    """At most 80 columns."""
    rows = []
    for name, way in result["ways"].items():
        ratio = result["float bytes"] / way["bytes"]
        numbers = [f"{way['top-1 %']:.1f}", f"{way['top-5 %']:.1f}", f"{way['KL']:.2f}"]
        met = "yes" if ratio >= AIM_RATIO else "no"
        rows.append([name, f"{way['bits a weight']:.2f}", f"{way['bytes']:,}", f"{ratio:.1f}x", *numbers, met])
    caption = (
        f"EfficientNet-Lite0, {result['parameters']:,} parameters, {result['float bytes']:,} bytes in floats,\n"
        f"codebooks of {result['k']} blocks of 4 weights, or of 2: agreement with the floats\n"
        f"on {result['crops']} crops of {result['photographs']} photographs that nothing was learned from"
    )
    head = ["", "bits", "bytes", "ratio", "top-1", "top-5", "KL", f">= {AIM_RATIO}x"]
    return "\n".join([text_table(caption, head, rows), NOTES])


NOTES = """\
bits: of a weight in blocks, codes and centroids. In %, top-1: the same class;
top-5: the floats' class is among the five largest. KL: mean divergence. plain:
the blocks' own distances. biases: each takes back the mean error of its layer's
outputs. tuned: that, and centroids and biases trained against the float
network, after each layer and at the end. Agreement is no accuracy. One seed."""
