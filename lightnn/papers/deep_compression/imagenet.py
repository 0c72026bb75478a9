"""The paper's tables 4 and 5, of AlexNet and VGG-16 (arXiv 1510.00149). Nothing here was run again: ImageNet is needed.

What can be checked without it is arithmetic: what the rows of a table add up to, beside the total that it prints.
"""

RATES = {"AlexNet": (35, "240 MB", "6.9 MB"), "VGG-16": (49, "552 MB", "11.3 MB")}  # table 1: rate, sizes
HIDDEN = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)  # VGG-16's convolutions of 3x3
COLUMNS = {  # layer: kept %, bits of a weight (P+Q, +H) and of an index (same), rate in % of 32 bits a weight (same)
    "AlexNet": {
        "conv1": (84, 8, 6.3, 4, 1.2, 32.6, 20.53),
        "conv2": (38, 8, 5.5, 4, 2.3, 14.5, 9.43),
        "conv3": (35, 8, 5.1, 4, 2.6, 13.1, 8.44),
        "conv4": (37, 8, 5.2, 4, 2.5, 14.1, 9.11),
        "conv5": (37, 8, 5.6, 4, 2.5, 14.0, 9.43),
        "fc6": (9, 5, 3.9, 4, 3.2, 3.0, 2.39),
        "fc7": (9, 5, 3.6, 4, 3.7, 3.0, 2.46),
        "fc8": (25, 5, 4.0, 4, 3.2, 7.3, 5.85),
        "total": (11, 5.4, 4.0, 4, 3.2, 3.7, 2.88),
    },
    "VGG-16": {
        "conv1_1": (58, 8, 6.8, 5, 1.7, 40.0, 29.97),
        "conv1_2": (22, 8, 6.5, 5, 2.6, 9.8, 6.99),
        "conv2_1": (34, 8, 5.6, 5, 2.4, 14.3, 8.91),
        "conv2_2": (36, 8, 5.9, 5, 2.3, 14.7, 9.31),
        "conv3_1": (53, 8, 4.8, 5, 1.8, 21.7, 11.15),
        "conv3_2": (24, 8, 4.6, 5, 2.9, 9.7, 5.67),
        "conv3_3": (42, 8, 4.6, 5, 2.2, 17.0, 8.96),
        "conv4_1": (32, 8, 4.6, 5, 2.6, 13.1, 7.29),
        "conv4_2": (27, 8, 4.2, 5, 2.9, 10.9, 5.93),
        "conv4_3": (34, 8, 4.4, 5, 2.5, 14.0, 7.47),
        "conv5_1": (35, 8, 4.7, 5, 2.5, 14.3, 8.00),
        "conv5_2": (29, 8, 4.6, 5, 2.7, 11.7, 6.52),
        "conv5_3": (36, 8, 4.6, 5, 2.3, 14.8, 7.79),
        "fc6": (4, 5, 3.6, 5, 3.5, 1.6, 1.10),
        "fc7": (4, 5, 4.0, 5, 4.3, 1.5, 1.25),
        "fc8": (23, 5, 4.0, 5, 3.4, 7.1, 5.24),
        "total": (7.5, 6.4, 4.1, 5, 3.1, 3.2, 2.05),
    },
}
WEIGHTS = {  # exact, from the layers' shapes; the paper prints them rounded. AlexNet is Caffe's, of two groups.
    "AlexNet": (34_848, 307_200, 884_736, 663_552, 442_368, 9216 * 4096, 4096 * 4096, 4_096_000),
    "VGG-16": (
        *(9 * a * b for a, b in zip((3, *HIDDEN), HIDDEN)),
        25_088 * 4096,
        4096 * 4096,
        4_096_000,
    ),
}


def sums(network: str) -> tuple[float, float, float]:
    """What the table's rows add up to: kept %, rate % before and after Huffman coding."""
    rows, weights = list(COLUMNS[network].values())[:-1], WEIGHTS[network]
    return tuple(sum(n * row[i] for n, row in zip(weights, rows, strict=True)) / sum(weights) for i in (0, 5, 6))


def format_imagenet(network: str) -> str:
    """The paper's table of this network, and the sum of its rows under the total that it prints."""
    lines = [f"{network:<9} weights    kept %  {'weight bits':^12} {'index bits':^12} {'rate %':^13}"]
    lines += [f"{'':<18}    (P)     {'P+Q':>5} {'+H':>5}  {'P+Q':>5} {'+H':>5}  {'P+Q':>6} {'+H':>6}"]
    for (name, row), n in zip(COLUMNS[network].items(), (*WEIGHTS[network], sum(WEIGHTS[network])), strict=True):
        keep, w, wh, i, ih, r, rh = row
        columns = f"{keep:6.1f}  {w:5.1f} {wh:5.1f}  {i:5.1f} {ih:5.1f}  {r:6.2f} {rh:6.2f}"
        lines.append(f"{name:<8} {n:>11,}  {columns}")
    keep, r, rh = sums(network)
    lines.append(f"{'sum of the rows':<20}  {keep:6.1f}{'':<29}{r:6.2f} {rh:6.2f}")
    return "\n".join(line.rstrip() for line in lines)
