"""Latency: the time of one forward pass on this machine, measured for several networks in turn.

Compare a time only with another one measured in the same minutes: other work on the machine, a slow clock or a cold
cache then slow down both. So the networks run in turn, round by round, and the median over the rounds is reported.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one forward pass: the median, the least and the most over the rounds."""

    median_ms: float
    least_ms: float
    most_ms: float


def latency(
    model: Module, input_shape: Sequence[int], *, rounds: int = 15, rng: np.random.Generator | int = 0
) -> Latency:
    """Latency of the model on one random input (N, C, H, W), in eval mode, after two warm-up runs."""
    return compare_latency({"model": model}, input_shape, rounds=rounds, rng=rng)["model"]


def compare_latency(
    models: dict[str, Module], input_shape: Sequence[int], *, rounds: int = 15, rng: np.random.Generator | int = 0
) -> dict[str, Latency]:
    """{name: Latency} of several models, {name: Module}, on inputs of the same shape, measured in turn."""
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
