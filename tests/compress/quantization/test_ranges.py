"""lightnn/compress/quantization/ranges.py: each way to choose a range is what its definition says."""

import numpy as np
import pytest

from lightnn.compress.quantization.ranges import (
    BINS,
    Seen,
    divergence,
    entropy_range,
    min_max_range,
    mse_range,
    percentile_range,
)

ALL = (min_max_range, percentile_range, mse_range, entropy_range)


def seen(x):
    """What calibration sees of x."""
    top = max(np.abs(x).max(), 1e-30)
    bins = np.minimum((np.abs(x) * (BINS / top)).astype(int), BINS - 1)
    counts = np.stack([np.bincount(bins[side], minlength=BINS) for side in (x < 0, x >= 0)])
    return Seen(float(x.min()), float(x.max()), counts)


@pytest.fixture
def bell(rng):
    x = rng.standard_normal(20_000)
    x[:2] = -30, 40  # outliers
    return x


def test_min_max_holds_everything_and_zero():
    assert min_max_range(seen(np.array([-1.0, 3.0])), 8) == (-1, 3)
    assert min_max_range(seen(np.array([1.0, 3.0])), 8) == (0, 3)
    assert min_max_range(seen(np.array([-4.0, -3.0])), 8) == (-4, 0)


@pytest.mark.parametrize("choose", ALL)
def test_every_range_holds_zero_and_lies_within_what_was_seen(choose, bell, rng):
    for x in (bell, np.maximum(bell, 0), -np.maximum(bell, 0), rng.random(100) + 5, np.zeros(9), np.full(9, 2.0)):
        for bits in (2, 4, 8):
            low, high = choose(seen(x), bits)
            assert min(x.min(), 0) <= low <= 0 <= high <= max(x.max(), 0)
            assert (low, high) == (0, 0) or x.any()


def test_percentile_leaves_a_few_out(bell):
    x = np.arange(1, 1001) / 1000
    low, high = percentile_range(seen(x), 8, percentile=90)
    assert low == 0 and abs(high - 0.9) <= 2 / BINS
    assert percentile_range(seen(bell), 8, 100) == (-30, 40)
    low, high = percentile_range(seen(bell), 8)
    assert -5 < low < -3 and 3 < high < 5
    with pytest.raises(ValueError, match="percentile_range: percentile: want a finite number"):
        percentile_range(seen(bell), 8, 0)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_mse_has_the_smallest_error(bell, bits):
    for x in (bell, np.maximum(bell, 0)):
        s = seen(x)

        def error(low, high, x=x):
            S = (high - low) / (2**bits - 1)
            Z = np.rint(-low / S)
            return ((x - S * (np.clip(np.rint(x / S) + Z, 0, 2**bits - 1) - Z)) ** 2).mean()

        tries = [(max(-T, s.lowest), min(T, s.highest)) for T in 40 * np.linspace(0.02, 1, 200)]
        best = min(error(min(low, 0), max(high, 0)) for low, high in tries)
        assert error(*mse_range(s, bits)) <= 1.1 * best
        assert error(*mse_range(s, bits)) < (1 if bits == 8 else 0.9) * error(*min_max_range(s, bits))


def test_more_bits_reach_farther(bell):
    for choose in (mse_range, entropy_range):
        highs = [choose(seen(bell), bits)[1] for bits in (2, 4, 6, 8)]
        assert highs == sorted(highs) and highs[0] < highs[-1] <= 40


def slow_divergence(counts, i, levels):
    """The definition as a loop."""
    P = list(map(float, counts[:i]))
    P[-1] += sum(counts[i:])
    groups = {}
    for k in range(i):
        groups.setdefault(int(k * levels // i), []).append(k)
    Q = [0.0] * i
    for members in groups.values():
        filled = [k for k in members if counts[k]]
        for k in filled:
            Q[k] = sum(counts[m] for m in members) / len(filled)
    p, q = np.array(P) / sum(P), np.array(Q) / max(sum(Q), 1e-300)
    if ((q == 0) & (p > 0)).any():
        return np.inf
    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


def test_the_divergence_is_its_definition(rng):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        counts = rng.poisson(rng.choice([0.5, 3, 30]), 60).astype(float)
        for i, levels in ((60, 16), (33, 16), (16, 16), (47, 4), (20, 3)):
            assert divergence(counts, i, levels) == pytest.approx(
                slow_divergence(counts, i, levels), rel=1e-9, abs=1e-12
            )
    assert divergence(np.array([4.0, 4, 2, 2]), 4, 2) == 0
    assert divergence(np.array([1.0, 1, 0, 2]), 3, 3) == np.inf


def test_entropy_clips_outliers_but_not_a_uniform_tensor(bell, rng):
    low, high = entropy_range(seen(bell), 8)
    assert -15 < low < -2 and 2 < high < 15
    assert entropy_range(seen(rng.random(50_000)), 8)[1] > 0.95
    many_zeros = np.concatenate([np.zeros(100_000), np.maximum(bell, 0)])
    assert entropy_range(seen(many_zeros), 8)[1] == pytest.approx(
        entropy_range(seen(np.maximum(bell, 0)), 8)[1], rel=0.2
    )
