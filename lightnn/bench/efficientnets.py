"""What compound scaling makes larger: `python -m lightnn bench efficientnets`.

Parameters and MACs of EfficientNet B0 to B7 and Lite0 to Lite4 by our trace, at their own image sizes, and the
milliseconds of one image, batch 1, of the smaller ones, lowered in float32; the paper's figures beside them. The
committed result is chapters/results/efficientnets.json.
"""

from collections.abc import Callable
from typing import NamedTuple

from lightnn import get_num_threads, metrics, models, runtime
from lightnn.bench.suite import Suite
from lightnn.models.efficient import EFFICIENTNET_SCALES
from lightnn.models.efficient_lite import EFFICIENTNET_LITE_SCALES


class Reported(NamedTuple):
    """parameters in millions and MACs in billions (the paper says FLOPS), top-1 accuracy on ImageNet in %."""

    parameters: float
    macs: float
    accuracy: float


PAPER = {  # Tan & Le 2019, arXiv 1905.11946, table 2
    "b0": Reported(5.3, 0.39, 77.1), "b1": Reported(7.8, 0.70, 79.1), "b2": Reported(9.2, 1.0, 80.1),
    "b3": Reported(12, 1.8, 81.6), "b4": Reported(19, 4.2, 82.9), "b5": Reported(30, 9.9, 83.6),
    "b6": Reported(43, 19, 84.0), "b7": Reported(66, 37, 84.3),
}  # fmt: skip
SCALES = EFFICIENTNET_SCALES | EFFICIENTNET_LITE_SCALES
TIMED = ("b0", "b1", "b2", "b3", "lite0", "lite1", "lite2", "lite3", "lite4")
ROUNDS = 7


def run(say: Callable[[str], None] = print) -> dict:
    """{"threads", "networks": {name: {"size", "width", "depth", "parameters", "macs", "ms" (None: not timed)}}}."""
    rows = {}
    for name, scale in SCALES.items():
        model, shape = getattr(models, f"efficientnet_{name}")(), (1, 3, scale.size, scale.size)
        row = {"size": scale.size, "width": scale.width_mult, "depth": scale.depth_mult}
        row |= {"parameters": metrics.count_parameters(model), "macs": metrics.count_macs(model, shape)}
        row["ms"] = _ms(model, shape) if name in TIMED else None
        rows[name] = row
        ms = "" if row["ms"] is None else f"{row['ms']:8.1f} ms"
        say(f"{name:<6} {row['parameters']:>12,} parameters {row['macs'] / 1e6:>9,.0f} M MACs {ms}")
    return {"threads": get_num_threads(), "networks": rows}


def _ms(model, shape):
    return round(metrics.latency(runtime.lower(model.eval(), shape), shape, rounds=ROUNDS).median_ms, 2)


SUITE = Suite(("efficientnets",), "EfficientNets: parameters, MACs and time", lambda families: run())
