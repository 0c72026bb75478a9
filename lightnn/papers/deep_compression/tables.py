"""The paper's tables of Deep Compression, its way of counting, and ours beside them (Han, Mao & Dally, ICLR 2016, arXiv
1510.00149, tables 1 to 3).

The counting rule was worked out from the paper's rows: a filler costs a weight and an index, a codebook holds 2^bits
float32 values, biases and Huffman tables are not counted.
"""

from collections.abc import Mapping

import numpy as np

from lightnn import compress
from lightnn.io import huffman, sparse_index
from lightnn.nn import Parameter
from lightnn.papers.lab.stage import TITLES

TABLE_1 = {  # network: reference error %, compressed error %, bytes, rate
    "lenet_300_100": {"reference error %": 1.64, "compressed error %": 1.58, "size_bytes": 27_000, "rate": 40},
    "lenet5": {"reference error %": 0.80, "compressed error %": 0.74, "size_bytes": 44_000, "rate": 39},
}
LAYERS = {  # tables 2 and 3: weights, kept %, bits of a weight (P+Q, P+Q+H) and of an index (same), rate % (same)
    "lenet_300_100": {
        "fc1": ("235K", 8, 6, 4.4, 5, 3.7, 3.1, 2.32),
        "fc2": ("30K", 9, 6, 4.4, 5, 4.3, 3.8, 3.04),
        "fc3": ("1K", 26, 6, 4.3, 5, 3.2, 15.7, 12.70),
        "total": ("266K", 8, 6, 5.1, 5, 3.7, 3.1, 2.49),
    },
    "lenet5": {
        "conv1": ("0.5K", 66, 8, 7.2, 5, 1.5, 78.5, 67.45),
        "conv2": ("25K", 12, 8, 7.2, 5, 3.9, 6.0, 5.28),
        "fc1": ("400K", 8, 5, 4.5, 5, 4.5, 2.7, 2.45),
        "fc2": ("5K", 19, 5, 5.2, 5, 3.7, 6.9, 6.13),
        "total": ("431K", 8, 5.3, 4.1, 5, 4.4, 3.05, 2.55),
    },
}
INDEX_BITS = 5


def count_layers(weights: Mapping[str, Parameter], index_bits: int = INDEX_BITS) -> dict[str, dict]:
    """The paper's table 2 or 3 for {name: Parameter with Mask and Codebook}: {name or "total": column values}.

    Rates are of 32 bits a weight, in %.
    """
    rows = {name: _count(p, index_bits) for name, p in weights.items()}
    total = {key: sum(row[key] for row in rows.values()) for key in next(iter(rows.values()))}
    return {name: _columns(row) for name, row in [*rows.items(), ("total", total)]}


def _count(p, index_bits):
    """The bits of one layer: sums that may be added over layers."""
    parts = compress.encode(p).parts
    differences, is_filler = sparse_index.relative(np.flatnonzero(parts["mask"]), index_bits)
    codebook = parts["codebook"]
    zero = len(codebook)  # a filler's value, which is in no codebook, is one symbol more under Huffman
    values = np.full(differences.size, zero)
    values[~is_filler] = parts["codes"]
    bits = int(zero - 1).bit_length()
    return {
        "weights": p.size,
        "kept": int((~is_filler).sum()),
        "entries": differences.size,
        "value bits": bits * differences.size,
        "value bits H": _huffman_bits(values),
        "index bits": index_bits * differences.size,
        "index bits H": _huffman_bits(differences),
        "codebook bits": 32 * 2**bits,
    }


def _huffman_bits(values):
    counts = np.bincount(values)
    return int(huffman.code_lengths(counts) @ counts)


def _columns(row):
    dense, entries = 32 * row["weights"], max(row["entries"], 1)
    return {
        "weights": row["weights"],
        "kept %": 100 * row["kept"] / row["weights"],
        "weight bits": row["value bits"] / entries,
        "weight bits H": row["value bits H"] / entries,
        "index bits": row["index bits"] / entries,
        "index bits H": row["index bits H"] / entries,
        "rate %": 100 * (row["value bits"] + row["index bits"] + row["codebook bits"]) / dense,
        "rate % H": 100 * (row["value bits H"] + row["index bits H"] + row["codebook bits"]) / dense,
    }


def format_tables(result: dict) -> str:
    """The paper's table 1 and its table of layers beside ours, as text of at most 80 columns.

    result: of `compress_network`, or of `reproduce` for the tables of both networks.
    """
    if "networks" in result:
        return "\n\n".join(format_tables(each) for each in result["networks"].values())
    network = result.get("network", "lenet_300_100")
    lines = [f"{TITLES[network] + ' on MNIST':<33} reference   compressed        size    rate"]
    for who, row in (("lightnn (file, everything)", result), ("paper (no Huffman tables)", TABLE_1[network])):
        errors = f"{row['reference error %']:9.2f} % {row['compressed error %']:10.2f} %"
        lines.append(f"{who:<32} {errors} {row['size_bytes']:>9,} B {row['rate']:5.0f} x")
    lines += ["", f"{'':<19}  weights  kept %  {'weight bits':^12} {'index bits':^12} {'rate %':^13}"]
    lines += [f"{'':<19}  {'':<7}  (P)     {'P+Q':>5} {'+H':>5}  {'P+Q':>5} {'+H':>5}  {'P+Q':>6} {'+H':>6}"]
    for name, row in result["table 2"].items():
        _, *paper = LAYERS[network][name]
        for who, count, numbers in (("lightnn", f"{row['weights']:,}", list(row.values())[1:]), ("paper", "", paper)):
            keep, w, wh, i, ih, r, rh = numbers
            first = name if who == "lightnn" else ""
            columns = f"{keep:6.1f}  {w:5.1f} {wh:5.1f}  {i:5.1f} {ih:5.1f}  {r:6.2f} {rh:6.2f}"
            lines.append(f"{first:<9} {who:<8} {count:>9}  {columns}")
    lines.append("P pruned, Q shared, H Huffman. The paper's counting rule: fillers and codebooks")
    lines.append("count, biases and Huffman tables do not. Paper: arXiv 1510.00149, tables 1-3.")
    return "\n".join(line.rstrip() for line in lines)
