"""lightnn/search/surrogates.py: the posterior against its formula and by hand, the split, the improvement."""

import math

import numpy as np
import pytest

from lightnn.search import TPE, GaussianProcess, Space, expected_improvement
from lightnn.search.surrogates import gp_posterior, tpe_split

SPACE = Space({"a": range(5), "b": range(5)})


def test_one_point_by_hand():
    """y = 2 at 0, without noise. At a distance of one length: 2 e^-1/2, and 1 - e^-1 of variance."""
    mean, variance = gp_posterior([[0.0]], [2.0], [[0.0], [0.3], [9.0]], length=0.3, noise=0.0)
    assert mean == pytest.approx([2, 2 * math.exp(-0.5), 0]) and variance == pytest.approx([0, 1 - math.exp(-1), 1])
    mean, variance = gp_posterior([[0.0]], [2.0], [[0.0]], noise=1.0)
    assert mean == pytest.approx([1.0]) and variance == pytest.approx([0.5])


def test_it_is_the_conditional_normal_distribution(rng):
    """The joint covariance of old and new points, conditioned by its inverse."""
    X, y, X_new = rng.random((6, 2)), rng.standard_normal(6), rng.random((3, 2))
    points = np.concatenate([X, X_new])
    K = np.exp(-np.square(points[:, None] - points).sum(2) / (2 * 0.3**2)) + np.diag([1e-3] * 6 + [0] * 3)
    precision = np.linalg.inv(K)[6:, 6:]
    mean, variance = gp_posterior(X, y, X_new)
    assert variance == pytest.approx(np.diag(np.linalg.inv(precision)), rel=1e-4)
    assert mean == pytest.approx(-np.linalg.inv(precision) @ np.linalg.inv(K)[6:, :6] @ y, rel=1e-4)


def test_expected_improvement_by_hand():
    found = expected_improvement(np.array([1.0, 1.0, 0.0, 3.0]), np.array([0.0, 1.0, 0.0, 1e-12]), 1.0)
    assert found == pytest.approx([0, 1 / math.sqrt(2 * math.pi), 0, 2])
    samples = np.maximum(0, 0.5 + 0.7 * np.random.default_rng(0).standard_normal(400_000) - 1).mean()
    assert expected_improvement(np.array([0.5]), np.array([0.49]), 1.0)[0] == pytest.approx(samples, rel=0.02)


def test_the_split_by_hand():
    good, others = tpe_split([0.1, 0.9, 0.5, 0.9, 0.2])
    assert good.tolist() == [1, 3] and others.tolist() == [0, 2, 4]
    assert [part.tolist() for part in tpe_split([3, 3, 3], 1 / 3)] == [[0], [1, 2]]
    assert [part.tolist() for part in tpe_split([7])] == [[0], []]
    assert [part.tolist() for part in tpe_split([1, 2], 1.0)] == [[0, 1], []]


@pytest.mark.parametrize("strategy", [GaussianProcess, TPE])
def test_random_ones_first_then_new_ones(strategy, rng):
    search = strategy(SPACE, first=4)
    assert len(search.propose(3, rng)) == 3
    known = [(0, 0), (4, 4), (4, 3), (0, 1)]
    search.learn(known, [0.0, 1.0, 0.9, 0.1], rng)
    proposed = search.propose(4, rng)
    assert len(set(proposed)) == 4 and not set(proposed) & set(known) and np.mean([c[0] for c in proposed]) > 1.5


def test_tpes_densities_by_hand():
    search = TPE(Space({"a": range(2)}), first=1)
    search.learn([(0,), (1,), (1,), (1,)], [9.0, 1.0, 1.0, 1.0], None)
    (good, others), *_ = search._chances()
    assert good.tolist() == pytest.approx([2 / 3, 1 / 3]) and others.tolist() == pytest.approx([1 / 5, 4 / 5])
    assert search.scores([(0,)])[0] == pytest.approx(math.log(10 / 3))
