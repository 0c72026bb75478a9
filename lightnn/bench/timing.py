"""Timing of competing calls: short bursts that take turns, with a rest between them, and the median of all calls.

A library's threads spin for a while after a call, OpenBLAS's for a tenth of a second; the rest keeps them from the
cores of the next call.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from types import ModuleType

import numba

REST = 0.15  # seconds


def burst(call: Callable[[], object], seconds: float) -> list[float]:
    """Seconds of repeated calls, after two calls that are not counted."""
    time.sleep(REST)
    call()
    call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 200):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def medians_ms(calls: Sequence[Callable[[], object]], rounds: int = 3, seconds: float = 0.02) -> list[float]:
    """Median milliseconds of each call, in bursts that take turns."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        for call, record in zip(calls, times, strict=True):
            record += burst(call, seconds)
    return [1e3 * statistics.median(record) for record in times]


def find_torch() -> ModuleType | None:
    """PyTorch on as many threads as Numba, or None."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(numba.get_num_threads())
    return torch


def opponent_name(torch: ModuleType | None) -> str:
    """What lightnn is compared with, as a benchmark's result says it."""
    return f"PyTorch {torch.__version__}" if torch else "plain NumPy (PyTorch is not installed)"
