"""One number for a network, and what to make of many: density, NetScore, the Pareto front, whether rankings agree."""

import math

import numpy as np

from lightnn import options
from lightnn.exercise import exercise


@exercise("16.1")
def information_density(accuracy: float, params: float) -> float:
    """D = a / p, % per million parameters, a float (Canziani, Paszke & Culurciello 2016, arXiv 1605.07678).

    accuracy: a, in % (56.5, not 0.565). params: how many parameters, a count; p is that in millions. ValueError unless
    0 <= accuracy <= 100 and params is a finite number > 0.
    """
    a = options.number("information_density: accuracy", accuracy, at_least=0, at_most=100)
    return a / (options.number("information_density: params", params, above=0) / 1e6)


@exercise("16.2")
def netscore(accuracy, params, macs, alpha=2, beta=0.5, gamma=0.5) -> float:
    """NetScore in decibels, a float (Wong 2018, arXiv 1806.05512), as others quote it:

        Omega = 20 log10( a^alpha / (p^beta m^gamma) )

    accuracy: a, top-1 in %. params, macs: counts; p is in millions, m in billions. The logarithm is that of base 10
    (two programs that can be found take the natural one, which is 2.3 times as much). ValueError unless 0 < accuracy
    <= 100, params and macs are finite numbers > 0, and the exponents finite numbers >= 0.
    """
    a = options.number("netscore: accuracy", accuracy, above=0, at_most=100)
    p = options.number("netscore: params", params, above=0) / 1e6
    m = options.number("netscore: macs", macs, above=0) / 1e9
    exponents = [("alpha", alpha), ("beta", beta), ("gamma", gamma)]
    alpha, beta, gamma = (options.number(f"netscore: {name}", n, at_least=0) for name, n in exponents)
    return 20 * (alpha * math.log10(a) - beta * math.log10(p) - gamma * math.log10(m))


@exercise("16.5")
def pareto(costs: np.ndarray) -> np.ndarray:
    """Which networks are worth a look: those that no other beats. Their indices in ascending order, an int64 array.

    costs (N, K): a row a network, a column a measure, less is better (for an accuracy give the error). Network j beats
    i if it costs no more than i in every column, and less in at least one. Of equal rows none beats the other. costs
    stays as it is. For N = 0 the result is empty. ValueError unless costs has two dimensions and no NaN.
    """
    c = np.asarray(costs, np.float64)
    if c.ndim != 2 or np.isnan(c).any():
        raise ValueError(f"pareto: want numbers (N, K) without NaN, got an array of shape {c.shape}")
    no_more, less = (c[:, None] <= c).all(2), (c[:, None] < c).any(2)  # [j, i]: of j against i
    return np.flatnonzero(~(no_more & less).any(0))


@exercise("16.6")
def rank_agreement(a: np.ndarray, b: np.ndarray) -> float:
    """How far two measures rank N networks alike: Kendall's tau-b, a float from -1 (opposite orders) to 1 (the same).

        tau = (P - Q) / sqrt((n - A) (n - B))

    over the n = N (N - 1) / 2 pairs of networks: P pairs are in the same order by a and by b, Q in opposite orders, A
    pairs are equal by a, B by b (a pair that is equal by both counts in both).

    a, b (N,): numbers; they stay as they are. ValueError unless they have one shape (N,), N >= 2, no NaN, and each at
    least two different numbers.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 1 or len(a) < 2 or np.isnan([a, b]).any():
        raise ValueError(f"rank_agreement: want two arrays (N,), N >= 2, without NaN; got {a.shape} and {b.shape}")
    i, j = np.triu_indices(len(a), 1)
    s, t = np.sign(a[i] - a[j]), np.sign(b[i] - b[j])
    if not s.any() or not t.any():
        raise ValueError("rank_agreement: want at least two different numbers in each, got equal ones")
    return float((s * t).sum() / math.sqrt(np.count_nonzero(s) * np.count_nonzero(t)))
