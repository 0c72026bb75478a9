"""Batch norm and sign as a threshold: by hand, ties, against float64 for every sum, exact for float32's roundings."""

import numpy as np
import pytest

from lightnn.kernels.binary.thresholds import MOST, find_threshold, float_of_order, fold_threshold

EPS = 1e-5


def test_by_hand():
    one = np.ones(1)
    for gamma, beta, mean, want in (
        (1, 0, 0, (0, False)),  # s >= 0
        (1, 0, 2.5, (3, False)),
        (2, 0, 2, (2, False)),  # 0 at s = 2: +1
        (-1, 0, 2, (3, True)),  # s <= 2, and again +1 at the tie
        (-1, 0, 2.5, (3, True)),
        (0, 0, 9, (-(2**31), False)),
        (0, -1, 9, (-(2**31), True)),
        (1e-30, -1, 0, (2**31 - 1, False)),  # never
    ):
        T, flip = fold_threshold(gamma * one, beta * one, mean * one, (1 - EPS) * one, EPS)
        assert (T.tolist(), flip.tolist()) == ([want[0]], [want[1]]), (gamma, beta, mean)
        assert T.dtype == np.int64 and flip.dtype == bool


def test_the_formula_for_every_sum(rng):
    c, s = 200, np.arange(-300, 301)[:, None]
    gamma, beta, mean = rng.standard_normal((3, c)) * [[1], [3], [60]]
    gamma[:3], beta[0], var = 0, 0, rng.random(c) * 900 + 0.1
    T, flip = fold_threshold(gamma, beta, mean, var, EPS)
    want = gamma * (s - mean) / np.sqrt(var + EPS) + beta >= 0
    np.testing.assert_array_equal((s >= T) ^ flip, want)


def test_ties_are_plus_one():
    """beta = 0 and a whole mean: the batch norm is exactly 0 at s = mean, for either sign of gamma."""
    mean, gamma = np.arange(-5.0, 5), np.resize([1.0, -2.0], 10)
    T, flip = fold_threshold(gamma, np.zeros(10), mean, np.ones(10), EPS)
    assert ((mean >= T) ^ flip).all()
    assert not ((mean - np.sign(gamma) >= T) ^ flip).any()


def test_bisection_is_exact_for_float32(rng):
    c, n = 300, 500
    gamma, beta, mean = (rng.standard_normal((3, c)) * [[1], [3], [9]]).astype(np.float32)
    gamma[:4], var = 0, rng.random(c).astype(np.float32)
    alpha = rng.random(c).astype(np.float32)

    def holds(s):
        y = s.astype(np.float32) * alpha
        return (y - mean) / np.sqrt(var + np.float32(EPS)) * gamma + beta >= 0

    T, flip = find_threshold(holds, -n, n, c)
    assert T.dtype == np.int64 and flip.dtype == bool and T.min() >= -n and T.max() <= n
    for s in range(-n, n + 1):
        np.testing.assert_array_equal((s >= T) ^ flip, holds(np.full(c, s)))


@pytest.mark.parametrize("ends", [(0, 0), (0, 1), (-3, 4)])
def test_bisection_on_short_ranges(ends):
    low, high = ends
    bounds = np.arange(low, high + 2)
    T, flip = find_threshold(lambda s: s >= bounds, low, high, len(bounds))
    assert T.min() >= low and T.max() <= high
    for s in range(low, high + 1):
        np.testing.assert_array_equal((s >= T) ^ flip, s >= bounds)


def test_orders_of_floats_count_up():
    orders = np.array([-MOST, -2, -1, 0, 1, 2, MOST])
    floats = float_of_order(orders)
    assert floats.dtype == np.float32 and (np.diff(floats) > 0).all()
    assert floats[-1] == np.finfo(np.float32).max == -floats[0] and floats[4] == np.nextafter(np.float32(0), 1)
