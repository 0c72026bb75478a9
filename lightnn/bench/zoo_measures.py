"""Times and bytes of ImageNet's classifiers on this machine: `python -m lightnn bench measures`.

What `python -m lightnn report` measures (lightnn.reporting.measure), for the networks that `bench zoo` counts: the
lowered network's latency for one image, its time for an image of a batch, the bytes that it holds, and what one
training step on one image holds at its peak. The weights are random; times and bytes do not depend on them. The
committed result is chapters/results/zoo_measures.json.
"""

from collections.abc import Callable

from lightnn.bench.suite import Suite
from lightnn.kernels.parallel import get_num_threads
from lightnn.reporting import measure
from lightnn.reporting.published import NETWORKS, build

ROUNDS = 15


def run(say: Callable[[str], None] = print) -> dict:
    """{"threads", "networks": {name: {"latency ms", "ms an image in a batch", ...}}}. Prints as it measures."""
    rows = {}
    for name, known in NETWORKS.items():
        m = measure(build(name), (1, 3, known.size, known.size), rounds=ROUNDS)
        counted, peak = m.training
        rows[name] = {
            "latency ms": round(m.latency.median_ms, 3),
            "least ms": round(m.latency.least_ms, 3),
            "ms an image in a batch": round(1e3 / m.images_per_second, 3),
            "held bytes": m.held_bytes,
            "training bytes, counted": counted.total,
            "training bytes, measured": peak,
        }
        say(f"{name:<20}{m.latency.median_ms:>9.1f} ms{1e3 / m.images_per_second:>9.1f} ms in a batch"
            f"{m.held_bytes / 1e6:>8.1f} MB held{peak / 1e6:>8.1f} MB to train")  # fmt: skip
    return {"threads": get_num_threads(), "networks": rows}


SUITE = Suite(("measures",), "times and bytes of ImageNet's classifiers", lambda families: run())
