"""Latency: the time of one forward pass on this machine, measured for several networks in turn. And which call is fast.

Compare a time only with another one measured in the same minutes: other work on the machine, a slow clock or a cold
cache then slow down both. So the networks run in turn, round by round, and the median over the rounds is reported.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import options
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.options import Rng
from lightnn.tensor import Tensor, no_grad


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass: the median, the least and the most over the rounds."""

    median_ms: float
    least_ms: float
    most_ms: float


def latency(model: Module, input_shape: Sequence[int], *, rounds: int = 15, rng: Rng = 0) -> Latency:
    """Latency of the model on one random input (N, C, H, W), in eval mode, after two warm-up runs."""
    return compare_latency({"model": model}, input_shape, rounds=rounds, rng=rng)["model"]


def compare_latency(
    models: dict[str, Module], input_shape: Sequence[int], *, rounds: int = 15, rng: Rng = 0
) -> dict[str, Latency]:
    """{name: Latency} of several models, {name: Module}, on inputs of the same shape, measured in turn."""
    rounds, shape = options.count("latency: rounds", rounds), options.shape("latency: input_shape", input_shape)
    if not models:
        raise ValueError("latency: want at least one model, got 0")
    x = Tensor(options.generator("latency: rng", rng).standard_normal(shape, np.float32))
    times = {name: [] for name in models}
    with evaluating(*models.values()), no_grad():
        for model in models.values():
            model(x), model(x)
        for _ in range(rounds):
            for name, model in models.items():
                start = time.perf_counter()
                model(x)
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: Latency(statistics.median(ms), min(ms), max(ms)) for name, ms in times.items()}


@dataclass(frozen=True)
class Least:
    """Milliseconds of the fastest of many calls: what the machine needs when nothing else disturbs it. The calls are
    dealt out to five hands, each with a least time of its own; spread_ms is how far their median is from the least."""

    ms: float
    spread_ms: float

    def beats(self, other: "Least") -> bool:
        """Whether this is faster by more than twice the larger spread: less than that may be chance."""
        return other.ms - self.ms > 2 * max(self.spread_ms, other.spread_ms)


def least_times(calls: dict[str, Callable[[], object]], repeats: int = 30) -> dict[str, Least]:
    """{name: Least} of each call, run in turn `repeats` times (at least 5) after one run that does not count."""
    repeats = options.count("least_times: repeats", repeats, at_least=5)
    if not calls:
        raise ValueError("least_times: want at least one call, got 0")
    times = {name: [] for name in calls}
    for call in calls.values():
        call()
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1e3 * (time.perf_counter() - start))
    hands = {name: [min(ms[hand::5]) for hand in range(5)] for name, ms in times.items()}
    return {name: Least(min(least), statistics.median(least) - min(least)) for name, least in hands.items()}
