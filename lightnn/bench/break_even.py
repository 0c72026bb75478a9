"""From where on a technique pays: break-even points, by formula and from the committed records. Chapter 16 prints them.

Bytes on disk and bytes held follow from the formats; times are in chapters/results, each with its machine. Nothing is
measured here.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lightnn.bench import look_up
from lightnn.io.huffman import LENGTH_BITS, code_lengths
from lightnn.study import result
from lightnn.tables import text_table

FLOAT_BITS, COLUMN_BITS = 32, 32
DENSE = ("NumPy", "lightnn", "PyTorch")  # a sparse layer has to be faster than the fastest of them
MANY = 10**9


class Point(NamedTuple):
    """technique: what is done, against what. pays: from where on. source: a formula, or the name of a record."""

    technique: str
    pays: str
    source: str


def weights_from(bits: float, extra_bits: float) -> int:
    """The smallest n at which n weights of so many bits, and what all of them share, take less than n floats do:

        bits n + extra < 32 n

    extra_bits: 32 k for a codebook of k values, 32 k d for k centroids of d weights (bits is then log2(k) / d). bits:
    less than 32."""
    return math.floor(extra_bits / (FLOAT_BITS - bits)) + 1


def huffman_from(counts: Sequence[int]) -> int:
    """The smallest n at which Huffman's codes and their table of 5 bits a symbol take less than n codes of K bits, for
    symbols that occur in the ratios of counts; 0 if they never do (Huffman's codes are then no shorter)."""
    counts = np.asarray(counts, np.int64)
    K = (len(counts) - 1).bit_length()
    saved = K - np.dot(code_lengths(counts), counts) / counts.sum()
    return math.floor(LENGTH_BITS * len(counts) / saved) + 1 if saved > 1e-12 else 0


def index_bits(density: float) -> float:
    """Bits for each weight, kept or not, that the index of a file takes if the kept ones lie at random: differences of
    b bits and fillers (see lightnn/io/sparse_index.py), Huffman coded, for the best b. Tables left out.

    With q = 1 - density and R = 2^b a difference is i + 1 with probability density q^i, i < R, and a filler q^R."""
    q, found = 1 - density, []
    for b in range(1, 11):
        R = 2**b
        occur = np.append(density * q ** np.arange(R), q**R)
        counts = np.maximum(np.round(MANY * occur).astype(np.int64), 1)
        each = np.dot(code_lengths(counts), occur)  # bits of one entry
        found.append(each * density / (1 - q**R))  # and so many entries a weight
    return float(min(found))


def sparse_below(bits: float) -> float:
    """The density below which weights of so many bits and an index take less of a file than all of them do:

    bits density + index(density) < bits
    """
    low, high = 0.0, 1.0
    for _ in range(20):
        p = (low + high) / 2
        low, high = (p, high) if bits * p + index_bits(p) < bits else (low, p)
    return low


def tables_from(k: int, d: int) -> int:
    """The fewest outputs from which a layer whose weights are beyond the cache is faster by tables of k centroids of d
    weights, as `bench tables` predicts; 0 if there are none up to a million."""

    def faster(O):
        return look_up.costs(O, look_up.CACHE_BYTES * d, k, d)["predicted"] > 1

    return _first(faster, 10**6)


def _first(holds: Callable[[int], bool], most: int) -> int:
    """The smallest n in 1..most for which holds(n), which stays true once it is; 0 if there is none."""
    low, high = 0, most + 1
    while high - low > 1:
        n = (low + high) // 2
        low, high = (low, n) if holds(n) else (n, high)
    return high if high <= most else 0


def images_until_paid(training_s: float, ms_before: float, ms_after: float) -> float:
    """How many images have to be run until the time that each saves has paid for the training; inf if none is saved."""
    saved = (ms_before - ms_after) / 1e3
    return training_s / saved if saved > 0 else math.inf


def bell(k: int, reach: float = 3.0) -> np.ndarray:
    """How often each of k values occurs that lie evenly within `reach` standard deviations of normal weights."""
    c = np.linspace(-reach, reach, k)
    p = np.exp(-(c**2) / 2)
    return np.maximum(np.round(MANY * p / p.sum()), 1).astype(np.int64)


def points() -> list[tuple[str, list[Point]]]:
    """[(what is saved, its break-even points)]."""
    return [("bytes on disk", _on_disk()), ("bytes held to run", _held()), ("milliseconds", _times())]


def _on_disk():
    formula = "formula"
    found = [
        Point(f"a codebook of {k} values", f"from {weights_from(math.log2(k), 32 * k):,} weights on", formula)
        for k in (16, 256)
    ]
    many = weights_from(8 / 4, 32 * 256 * 4)
    found += [
        Point("int8 with a scale and zero point", f"from {weights_from(8, 64)} weights on", formula),
        Point("256 centroids of 4 weights", f"from {many:,} weights on", formula),
        Point("Huffman codes of 4-bit codes, normal", f"from {huffman_from(bell(16))} weights on", formula),
        Point("Huffman codes of 4-bit codes, even", "never", formula),
    ]
    for bits, what in ((32, "floats"), (8, "8-bit codes"), (4, "4-bit codes"), (1, "signs")):
        found.append(Point(f"pruned {what} and an index", f"below {sparse_below(bits):.0%} kept", formula))
    return found


def _held():
    below = {bits: bits / (bits + COLUMN_BITS) for bits in (32, 8)}
    return [
        Point("pruned floats and their columns", f"below {below[32]:.0%} kept", "formula"),
        Point("pruned 8-bit codes and columns", f"below {below[8]:.0%} kept", "formula"),
    ]


def _times():
    return [*_sparse(), *_tables(), *_int8(), *_binary(), *_paid()]


def _sparse():
    """Of the layers of the record by kind and batch: the densities below which sparse is faster than all dense."""
    below = {
        name: min(row["break-even"][who] for who in DENSE if who in row["break-even"])
        for name, row in result("sparse_bench")["layers"].items()
    }
    groups = {
        "a sparse fc1, one image": [below[n] for n in below if "fc1 b1" in n],
        "a sparse fc1, 64 images": [below[n] for n in below if "fc1 b64" in n],
        "a sparse convolution": [below[n] for n in below if "fc" not in n],
    }
    groups = {name: f"below {_span(p)} kept" for name, p in groups.items()}
    rows = result("techniques")["rows"]
    kept, slower = rows["pruned"], rows["pruned"]["latency ms"] > rows["float32"]["latency ms"]
    share = kept["MACs without zeros"] / kept["MACs"]
    groups["a pruned LeNet-5, lowered, one image"] = f"{'not' if slower else 'yes,'} at {share:.0%} of the MACs"
    records = ["sparse_bench"] * 3 + ["techniques"]
    return [Point(name, pays, record) for (name, pays), record in zip(groups.items(), records, strict=True)]


def _span(p):
    low, high = f"{min(p):.0%}", f"{max(p):.0%}"
    return low if low == high else f"{low} to {high}"


def _tables():
    layers = result("look_up_bench")["layers"]
    fours = [row for row in layers.values() if (row["k"], row["d"]) == (256, 4)]
    slow, fast = ([r["dense bytes"] / 1e6 for r in fours if (r["ratio"] > 1) == faster] for faster in (False, True))
    found = [Point("256 centroids of 4, MACs", "from 257 outputs on", "formula")]
    found.append(Point("256 centroids of 4, beyond the cache", f"from {tables_from(256, 4):,} outputs on", "formula"))
    return [
        *found,
        Point("256 centroids of 4, measured", f"between {max(slow):.1f} and {min(fast):.1f} MB", "look_up_bench"),
    ]


def _int8():
    rows = result("int8_networks")["rows"]
    found = []
    for batch, images in (("1", "one image"), ("64", "64 images")):
        faster = [name for name, row in rows.items() if row[batch]["ratio"] > 1]
        found.append(Point(f"int8 against floats, {images}", f"{len(faster)} of {len(rows)} networks", "int8_networks"))
    return found


def _binary():
    least = min(row["ratio"] for row in result("binary_bench")["rows"].values())
    return [Point("signs times signs, with packing", f"always: {least:.1f} x or more", "binary_bench")]


def _paid():
    rows = result("techniques")["rows"]
    before, thin = rows["float32"]["latency ms"], rows["half the filters"]
    images = images_until_paid(thin["training s"], before, thin["latency ms"])
    return [Point("half the filters, with training on", f"from {images:,.0f} images on", "techniques")]


def format_table() -> str:
    """All points as text, at most 80 columns wide."""
    blocks = []
    for saves, found in points():
        rows = [[f"{p.technique:<38}", f"{p.pays:<25}", f"{p.source:<13}"] for p in found]
        blocks.append(text_table(f"{saves}: it pays", None, rows))
    return "\n\n".join(blocks)
