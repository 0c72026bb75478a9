"""How far the range of a quantized tensor should reach, from what calibration has seen of it.

A range that holds every number wastes its levels on a few outliers; a shorter one clips them. Each function here gives
(low, high), low <= 0 <= high, so that 0 has a code of its own. All but the first choose a threshold T for |x|:

    (low, high) = (max(-T, lowest), min(T, highest))

min-max      everything (Jacob et al. 2018, arXiv 1712.05877, section 3)
percentile   all but a few in a thousand of the largest |x|
MSE          T = argmin E[(x - Q_T(x))^2]
entropy      T = argmin KL(P || Q), P the numbers clipped at T, Q the same after rounding to the levels (Migacz 2017,
             "8-bit Inference with TensorRT", GTC)
"""

from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.exercise import exercise

BINS = 2048  # of |x|, on each side of 0
MOST_TRIES = 256  # thresholds that a search looks at


class Seen(NamedTuple):
    """What calibration saw of a tensor: its lowest and highest number, and how many there were in each bin of |x|.

    counts (2, BINS): of the negative numbers and of the others; bin i holds |x| from i to i + 1 times `width`."""

    lowest: float
    highest: float
    counts: np.ndarray

    @property
    def width(self) -> float:
        return max(-self.lowest, self.highest) / BINS


def clipped(seen: Seen, T: float) -> tuple[float, float]:
    """The range that holds 0 and what was seen, as far as T."""
    return max(-T, min(seen.lowest, 0.0)), min(T, max(seen.highest, 0.0))


def min_max_range(seen: Seen, bits: int) -> tuple[float, float]:
    """From the lowest to the highest number."""
    return clipped(seen, np.inf)


def percentile_range(seen: Seen, bits: int, percentile: float = 99.99) -> tuple[float, float]:
    """Up to the |x| that `percentile` % of all numbers do not exceed, to the width of a bin."""
    percentile = options.number("percentile_range: percentile", percentile, above=0, at_most=100)
    below = seen.counts.sum(0).cumsum()
    i = int(np.searchsorted(below, percentile / 100 * below[-1]))
    return clipped(seen, (i + 1) * seen.width)


@exercise("08.4")
def mse_range(seen: Seen, bits: int) -> tuple[float, float]:
    """The threshold with the smallest mean square error of all numbers, each taken for the middle of its bin."""
    middles = (np.arange(BINS) + 0.5) * seen.width
    x, counts = np.concatenate([-middles, middles]), seen.counts.reshape(-1)
    x, counts = x[counts > 0], counts[counts > 0]

    def error(i):
        low, high = clipped(seen, i * seen.width)
        S = (high - low) / (2**bits - 1)
        Z = np.rint(-low / S)
        q = np.clip(np.rint(x / S) + Z, 0, 2**bits - 1)
        return counts @ (x - S * (q - Z)) ** 2

    return best_range(seen, error, range(BINS // MOST_TRIES, BINS + 1, BINS // MOST_TRIES))


def entropy_range(seen: Seen, bits: int) -> tuple[float, float]:
    """The threshold with the smallest Kullback-Leibler divergence.

    One side of 0 has all 2^bits levels, or half of them if there are numbers on both sides. As in NVIDIA's code, bin 0
    counts as much as bin 1: the many zeros after a ReLU are exact at any threshold, and would decide alone."""
    counts = seen.counts.sum(0).astype(np.float64)
    counts[0] = counts[1]
    levels = 2 ** (bits - 1 if seen.lowest < 0 < seen.highest else bits)
    first = min(max(levels, BINS // MOST_TRIES), BINS)
    return best_range(seen, lambda i: divergence(counts, i, levels), range(first, BINS + 1, BINS // MOST_TRIES))


@exercise("08.9")
def divergence(counts: np.ndarray, i: int, levels: int) -> float:
    """KL(P || Q) for a threshold after bin i. P: the first i bins, what lies beyond added to the last. Q: the first i
    bins in `levels` groups, the bins of a group that are not empty all with their mean. Infinite if Q is 0 where P is
    not."""
    inside = counts[:i]
    P = inside.copy()
    P[-1] += counts[i:].sum()
    starts = np.unique(-(-np.arange(levels) * i // levels))
    filled = inside > 0
    sizes = np.add.reduceat(filled.astype(np.int64), starts)
    means = np.add.reduceat(inside, starts) / np.maximum(sizes, 1)
    Q = np.repeat(means, np.diff(np.append(starts, i))) * filled
    if not P.any() or (Q[P > 0] == 0).any():
        return np.inf if P.any() else 0.0
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


def best_range(seen, error, tries):
    """The range of the threshold, a number of bins, with the smallest error; of the widest one if several have it."""
    if seen.width == 0:
        return 0.0, 0.0
    return clipped(seen, min(reversed(tries), key=error) * seen.width)
