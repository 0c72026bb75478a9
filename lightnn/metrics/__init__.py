"""Measures of a network: tracing.py counts what it holds and computes in one run, timing.py how long it takes."""

from lightnn.metrics.timing import Latency, Least, compare_latency, latency, least_times
from lightnn.metrics.tracing import Row, Trace, count_macs, count_parameters, trace

__all__ = [
    "Latency",
    "Least",
    "Row",
    "Trace",
    "compare_latency",
    "count_macs",
    "count_parameters",
    "latency",
    "least_times",
    "trace",
]
