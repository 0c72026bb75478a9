"""Measures of a network: tracing.py counts what it holds and computes in one run, counting.py the same by other
conventions and the most that is held at once, timing.py how long it takes, memory.py what a training step holds,
joules.py what energy it takes; scores.py makes one number of several, and compares rankings; overlap.py says how well a
segmentation fits, agreeing.py how far two networks agree; formulas.py what a structure costs and sees before it is
built; roofline.py, systolic.py and eie.py what hardware makes of it."""

from lightnn.metrics.agreeing import agreement
from lightnn.metrics.counting import SparseRow, flops_left, peak_activations, peak_bytes, sparse_macs
from lightnn.metrics.eie import dense_cycles, eie_cycles
from lightnn.metrics.formulas import bottleneck_macs, dense_channels, receptive_field
from lightnn.metrics.joules import Counts, Energy, counts, energy
from lightnn.metrics.memory import TrainingMemory, measured_peak, training_memory
from lightnn.metrics.overlap import confusion, mean_iou
from lightnn.metrics.roofline import amdahl, attainable, product_intensity
from lightnn.metrics.scores import information_density, netscore, pareto, rank_agreement
from lightnn.metrics.systolic import (
    output_stationary_cycles,
    simulate_output_stationary,
    simulate_systolic,
    systolic_cycles,
    utilisation,
)
from lightnn.metrics.timing import Latency, Least, compare_latency, latency, least_times
from lightnn.metrics.tracing import Row, Trace, count_macs, count_parameters, trace

__all__ = [
    "Counts",
    "Energy",
    "Latency",
    "Least",
    "Row",
    "SparseRow",
    "Trace",
    "TrainingMemory",
    "agreement",
    "amdahl",
    "attainable",
    "bottleneck_macs",
    "compare_latency",
    "confusion",
    "count_macs",
    "count_parameters",
    "counts",
    "dense_channels",
    "dense_cycles",
    "eie_cycles",
    "energy",
    "flops_left",
    "information_density",
    "latency",
    "least_times",
    "mean_iou",
    "measured_peak",
    "netscore",
    "output_stationary_cycles",
    "pareto",
    "peak_activations",
    "peak_bytes",
    "product_intensity",
    "rank_agreement",
    "receptive_field",
    "simulate_output_stationary",
    "simulate_systolic",
    "sparse_macs",
    "systolic_cycles",
    "trace",
    "training_memory",
    "utilisation",
]
