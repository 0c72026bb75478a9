"""Whole networks in 8-bit integers against float32, end to end: `python -m lightnn bench networks`.

The float opponent is the faster of two: the network as it is, and `runtime.lower` of it with its batch norms folded.
The integers are `runtime.lower_integers` of what `compress.quantize` makes; floats go in and floats come out, so both
conversions are counted. Calls take turns, with rests (timing.py), on equal threads. ratio = time of float32 / time of
the integers, of medians; least: of the fastest calls. Weights are not trained: that changes no time. Batch norms have
the statistics of the images.
"""

from collections.abc import Callable

import numba
import numpy as np

from lightnn import compress, metrics, models, nn, runtime
from lightnn.bench.suite import Suite
from lightnn.bench.timing import medians_ms
from lightnn.tensor import Tensor, no_grad

BATCHES, ROUNDS, AIM = (1, 64), 15, 2.0
NETWORKS = {  # name: make, shape of an image
    "LeNet-5": (lambda: models.lenet5(rng=0), (1, 28, 28)),
    "depthwise-separable": (lambda: models.filternet_separable(rng=0), (1, 28, 28)),
    "MobileNet 0.25, 32x32": (lambda: models.mobilenet_v1(10, 3, 0.25, rng=0), (3, 32, 32)),
    "MobileNet 0.25, 96x96": (lambda: models.mobilenet_v1(10, 3, 0.25, rng=0), (3, 96, 96)),
}


def three(model: nn.Module, images: np.ndarray) -> dict[str, nn.Module]:
    """{"float32", "folded", "int8"}: the network as it is, lowered in floats, and lowered to integers."""
    shape = (1, *images.shape[1:])
    with no_grad():
        for _ in range(20 if any(isinstance(m, nn.BatchNorm2d) for m in model.modules()) else 0):
            model.train()(Tensor(images))
    folded = compress.fold_batch_norm(model.eval(), shape)
    integers = runtime.lower_integers(compress.quantize(model, images), shape)
    return {"float32": model, "folded": runtime.lower(folded), "int8": integers}


def measure(networks: dict[str, nn.Module], x: np.ndarray, rounds: int = ROUNDS) -> dict[str, float]:
    """{"float32 ms", "folded ms", "int8 ms", "ratio", "least ratio"} for one batch x. The times are medians, and so is
    the ratio; the least ratio is that of the fastest of many calls, which other processes disturb less."""
    calls = {name: lambda model=model: model(Tensor(x)) for name, model in networks.items()}
    with no_grad():
        ms = dict(zip(networks, medians_ms(list(calls.values()), rounds), strict=True))
        least = {name: time.ms for name, time in metrics.least_times(calls, repeats=2 * rounds).items()}
    return {**{f"{name} ms": each for name, each in ms.items()}, "ratio": _ratio(ms), "least ratio": _ratio(least)}


def _ratio(ms):
    return min(ms["float32"], ms["folded"]) / ms["int8"]


def run(
    networks: dict[str, tuple[Callable, tuple]] = NETWORKS,
    rounds: int = ROUNDS,
    say: Callable[[str], None] = print,
) -> dict:
    """{"threads", "aim", "rows": {network: {batch: what `measure` gives}}}. Prints as it measures."""
    threads, rows = numba.get_num_threads(), {}
    say(f"median ms of a batch, {threads} threads; ratio = the faster float32 / int8; aim: {AIM:g}")
    say(f"{'':<24}{'batch':>6}{'float32':>10}{'folded':>10}{'int8':>10}{'ratio':>8}{'least':>7}")
    for name, (make, shape) in networks.items():
        images = np.random.default_rng(0).random((max(BATCHES), *shape), np.float32)
        each, rows[name] = three(make(), images), {}
        for batch in BATCHES:
            row = rows[name][str(batch)] = measure(each, images[:batch], rounds)
            times = "".join(f"{row[key]:>10.3f}" for key in ("float32 ms", "folded ms", "int8 ms"))
            ratios = f"{row['ratio']:>8.2f}{row['least ratio']:>7.2f}  {'yes' if row['ratio'] >= AIM else 'no'}"
            say(f"{name:<24}{batch:>6}{times}{ratios}")
    return {"threads": threads, "aim": AIM, "rows": rows}


SUITE = Suite(("networks",), "whole networks in int8 against float32", lambda families: run())
