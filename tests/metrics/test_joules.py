"""lightnn/metrics/joules.py: counts and picojoules by hand."""

import pytest

from lightnn import models
from lightnn.metrics.joules import Counts, counts, energy


def test_lenet5_is_counted():
    macs = 24 * 24 * 20 * 25 + 8 * 8 * 50 * 500 + 800 * 500 + 5000
    activations = 28 * 28 + 20 * 12 * 12 + 800 + 500 + 10
    assert counts(models.lenet5(rng=0), (1, 1, 28, 28)) == (macs, 431_080, activations)


def test_the_parts_are_those_of_the_formula():
    n = Counts(macs=10, weights=64, activations=32)
    floats = energy(n)
    assert floats == pytest.approx((10 * 4.6, 32 * 1950, 32 * 10.0)) and floats.total == pytest.approx(sum(floats))
    assert energy(n, 8, 8, integers=True) == pytest.approx((10 * 0.3, 8 * 1950, 8 * 10.0))
    assert energy(n, weight_bits=1).weights == floats.weights / 32
    assert energy(n, activation_bits=8)[:2] == floats[:2]
