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
    """What calibration saw of a tensor: its `lowest` and `highest` number, and in `counts` how many were in each bin.

    counts (2, BINS): of the negative numbers and of the others; bin i holds |x| from i to i + 1 times `width`."""

    lowest: float
    highest: float
    counts: np.ndarray

    @property
    def width(self) -> float:
        return max(-self.lowest, self.highest) / BINS


def clipped(seen: Seen, T: float) -> tuple[float, float]:
    """(low, high): the range that holds 0 and what was seen, as far as T."""
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
    """(low, high) = clipped(seen, T) for the threshold T with the smallest square error of all that was seen:

        E(T) = sum_x count_x (x - S (q - Z))^2
        q = clip(round(x / S) + Z, 0, 2^bits - 1)
        S = (high - low) / (2^bits - 1),    Z = round(-low / S)

    x is the middle of a bin: with width = seen.width, counts[0, i] numbers are at -(i + 1/2) width, counts[1, i] at
    +(i + 1/2) width. T is one of MOST_TRIES ends of bins, evenly spaced up to the widest: i width for i = 8, 16, ...,
    BINS. Of equal errors the widest T wins. (0.0, 0.0) if the width is 0. All is computed in float64.
    """
    middles = (np.arange(BINS) + 0.5) * seen.width
    x, counts = np.concatenate([-middles, middles]), seen.counts.ravel()
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
    """How much is lost, a float, if what was counted in bins is clipped after the first i bins and then rounded to
    `levels` levels:

        KL(P || Q) = sum_j p_j log(p_j / q_j),    p = P / sum P,  q = Q / sum Q

    P (i,): the first i counts, with all that lies beyond added to the last of them. Q (i,): the first i counts alone,
    in `levels` groups of neighbours. Group k begins with bin ceil(k i / levels). In a group, each bin that is not empty
    gets the mean of those that are not empty; an empty bin stays 0. Bins with P_j = 0 add nothing to the sum. If Q_j is
    0 where P_j is not, the result is infinite; if all counts are 0, it is 0. counts (B,): floats >= 0, which stay as
    they are. 1 <= i <= B; levels may be larger than i: then some groups have no bin.
    """
    inside = counts[:i]
    P = inside.copy()
    P[-1] += counts[i:].sum()
    filled = inside > 0
    group = np.arange(i) * levels // i
    sums, sizes = np.bincount(group, inside), np.bincount(group, filled)
    Q = np.where(filled, sums[group] / np.maximum(sizes[group], 1), 0)
    if not P.any():
        return 0.0
    if (Q[P > 0] == 0).any():
        return np.inf
    p, q = P[P > 0] / P.sum(), Q[P > 0] / Q.sum()
    return float(p @ np.log(p / q))


def best_range(seen, error, tries):
    """clipped(seen, i width) for the i of tries, ascending, whose error(i) is smallest, the last one of several; (0.0,
    0.0) if the width is 0."""
    if seen.width == 0:
        return 0.0, 0.0
    return clipped(seen, min(reversed(tries), key=error) * seen.width)
