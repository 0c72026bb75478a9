"""A fully connected layer by tables of blocks and centroids against our dense one: `python -m lightnn bench tables`.

One image, float32, on equal threads, calls that take turns (timing.py). For each layer what it multiplies, what it
reads and how long it takes; then the ratio of times that a formula predicts, from what one core does in a cycle:

    dense    max(I O / 16, and beyond the second-level cache 4 I O / 16 bytes)       16 products or 16 bytes a cycle
    tables   I k / 16 + (I / d) O / 2                                               2 entries of a table a cycle

for O outputs, I inputs, k centroids of d weights. So within the cache tables pay for large blocks only, beyond it from
d = 4 on; never where k is nearly O. We aim at a ratio of at least 1 where the formula says 1.2 or more.
"""

from collections.abc import Callable

import numba
import numpy as np

from lightnn.bench.suite import Suite
from lightnn.bench.timing import medians_ms
from lightnn.kernels.matrix.matvec import matvec
from lightnn.kernels.quantized import look_up_tables

LAYERS = {  # O outputs, I inputs, k centroids of d weights
    "LeNet-300-100 fc1": (300, 784, 64, 4),
    "LeNet-5 fc1": (500, 800, 256, 4),
    "LeNet-5 fc1, 8": (500, 800, 64, 8),
    "ResNet-18 fc": (1000, 512, 256, 4),
    "ResNet-18 fc, 2048": (1000, 512, 2048, 4),
    "Lite0 fc": (1000, 1280, 256, 4),
    "AlexNet fc7": (4096, 4096, 256, 4),
    "AlexNet fc7, 8": (4096, 4096, 256, 8),
    "AlexNet fc7, 16": (4096, 4096, 16, 4),
    "AlexNet fc6, 8": (4096, 9216, 256, 8),
}
CACHE_BYTES = 2**21  # the second level of a core, on the machines that we have measured on
LANES, READ_BYTES, ENTRIES = 16, 16, 2  # in a cycle: products, bytes from beyond the cache, entries of tables
SURE, AIM = 1.2, 1.0


def costs(O: int, I: int, k: int, d: int) -> dict[str, float]:
    """{"dense MACs", "table MACs", "entries", "dense bytes", "table bytes", "predicted": ratio of times}."""
    entries, size = I // d * O, 4 * I * O
    dense = max(I * O / LANES, size / READ_BYTES if size > CACHE_BYTES else 0)
    code_bytes = 1 if k <= 256 else 2
    return {
        "dense MACs": I * O, "table MACs": I * k, "entries": entries, "dense bytes": size,
        "table bytes": code_bytes * entries + 4 * k * d, "predicted": dense / (I * k / LANES + entries / ENTRIES),
    }  # fmt: skip


def layer(O: int, I: int, k: int, d: int) -> list[Callable]:
    """[by tables, dense] on the same weights."""
    rng = np.random.default_rng(0)
    x, c = rng.standard_normal((1, I), np.float32), rng.standard_normal((k, d), np.float32)
    codes = rng.integers(0, k, (I // d, O)).astype(np.min_scalar_type(k - 1))
    w = c[codes.T].reshape(O, I)
    return [lambda: look_up_tables.linear(x, codes, c), lambda: matvec(w, x[0], None)]


def run(layers: dict = LAYERS, rounds: int = 15, say: Callable[[str], None] = print) -> dict:
    """{"threads", "aim", "layers": {name: costs, "O", "I", "k", "d", "ms", "dense ms", "ratio"}, "least where
    sure"}."""
    rows = {}
    say(f"ratio = time of the dense layer / time by tables, one image, {numba.get_num_threads()} threads")
    say(f"{'':<19}{'O x I':>12}{'k':>6}{'d':>3}{'MACs':>7}{'bytes':>7}{'ms':>9}{'ratio':>8}{'formula':>9}")
    for name, case in layers.items():
        ours, dense = medians_ms(layer(*case), rounds)
        row = rows[name] = dict(zip("OIkd", case)) | costs(*case)
        row |= {"ms": ours, "dense ms": dense, "ratio": dense / ours}
        fewer = f"{row['dense MACs'] / row['table MACs']:>6.1f}x{row['dense bytes'] / row['table bytes']:>6.1f}x"
        say(f"{name:<19}{f'{case[0]} x {case[1]}':>12}{case[2]:>6}{case[3]:>3}{fewer}{ours:>9.4f}{row['ratio']:>8.2f}"
            f"{row['predicted']:>9.2f}")  # fmt: skip
    sure = [row["ratio"] for row in rows.values() if row["predicted"] >= SURE]
    least = min(sure) if sure else None
    if sure:
        met = "yes" if least >= AIM else "no"
        say(f"least where the formula says {SURE} or more: {least:.2f}   aim {AIM}: {met}")
    return {"threads": numba.get_num_threads(), "aim": AIM, "layers": rows, "least where sure": least}


SUITE = Suite(("tables",), "fully connected layers by tables of centroids", lambda families: run())
