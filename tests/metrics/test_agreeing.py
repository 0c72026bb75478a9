"""lightnn/metrics/agreeing.py: agreement by properties; its values are graded in tests/exercises/ch13.py."""

import numpy as np
import pytest

from lightnn import metrics


def test_a_network_agrees_with_itself_and_with_itself_shifted(rng):
    y = rng.standard_normal((30, 12))
    assert metrics.agreement(y, y) == (1.0, 1.0, 0.0)
    top_1, top_5, KL = metrics.agreement(y, y + rng.standard_normal((30, 1)))
    assert top_1 == top_5 == 1 and abs(KL) < 1e-12


def test_top_k_grows_with_k_and_reaches_one(rng):
    a, b = rng.standard_normal((2, 50, 8))
    found = [metrics.agreement(a, b, k)[1] for k in range(1, 9)]
    assert found == sorted(found) and found[-1] == 1 and found[0] == metrics.agreement(a, b)[0]


def test_divergence_is_no_distance_but_positive(rng):
    a, b = rng.standard_normal((2, 50, 8))
    assert min(metrics.agreement(a, b)[2], metrics.agreement(b, a)[2]) > 0


@pytest.mark.parametrize(("a", "b", "k"), [((2, 3), (3, 2), 1), ((6,), (6,), 1), ((2, 6), (2, 6), 7)])
def test_what_does_not_fit_is_refused(a, b, k):
    with pytest.raises(ValueError, match="agreement: "):
        metrics.agreement(np.zeros(a), np.zeros(b), k)
