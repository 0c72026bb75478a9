"""Timing of calls that compete: short bursts that take turns, with a rest between them, and the median of all calls.

A library's threads go on spinning for a while after a call; the rest keeps them off the cores of the next one.
"""

import statistics
import time

import numba


def burst(call, seconds):
    """Times of repeated calls, after two that are not counted."""
    time.sleep(0.02)
    call()
    call()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or (time.perf_counter() < end and len(times) < 200):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def medians_ms(calls, rounds=3, seconds=0.02):
    """Median milliseconds of each call, in bursts that take turns."""
    times = [[] for _ in calls]
    for _ in range(rounds):
        for call, record in zip(calls, times, strict=True):
            record += burst(call, seconds)
    return [1e3 * statistics.median(record) for record in times]


def find_torch():
    """PyTorch on as many threads as Numba, or None."""
    try:
        import torch
    except ImportError:
        return None
    torch.set_num_threads(numba.get_num_threads())
    return torch
