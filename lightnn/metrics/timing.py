"""Latency: the time of one answer, measured on this machine, several networks in turn.

A time means something only beside another one of the same minutes: whatever else the machine does, a slow clock, a cold
cache hit both. So networks are run in turn, round by round, and the median of the rounds is given.
"""

import statistics
import time
from dataclasses import dataclass

import numpy as np

from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass: the median of the rounds, the least and the most."""

    median_ms: float
    least_ms: float
    most_ms: float


def latency(model, input_shape, *, rounds=15, rng=0):
    """Latency of the model on one random input (N, C, H, W), in eval mode, after two runs that don't count."""
    return compare_latency({"model": model}, input_shape, rounds=rounds, rng=rng)["model"]


def compare_latency(models, input_shape, *, rounds=15, rng=0):
    """{name: Latency} of several models {name: Module} that take inputs of one shape, measured in turn."""
    if rounds < 1 or not models:
        raise ValueError(f"latency: want at least one model and rounds >= 1, got {len(models)} and {rounds}")
    x = Tensor(np.random.default_rng(rng).standard_normal(input_shape, np.float32))
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
