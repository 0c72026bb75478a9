"""Strategies that learn a model of the reward, and ask it where to look next: PocketFlow's GP and TPE.

    GP      a Gaussian process over candidates as points; the next one has the largest expected improvement
    TPE     two distributions, of the good candidates and of the others; the next one is likely in the first only

(Wu et al. 2018, PocketFlow; Rasmussen & Williams 2006, equations 2.25 and 2.26; Jones et al. 1998; Bergstra et al.
2011.) Both begin with a few random candidates.
"""

import math

import numpy as np

from lightnn import options
from lightnn.exercise import exercise
from lightnn.search.spaces import Candidate, Space


@exercise("14.7")
def gp_posterior(X, y, X_new, length=0.3, noise=1e-3):
    """(mean, variance) of a Gaussian process at new points, float64 (M,) each (Rasmussen & Williams 2006, equations
    2.25 and 2.26):

        k(a, b)  = exp(-|a - b|^2 / (2 length^2))
        mean     = K* (K + noise I)^-1 y
        variance = 1 - the diagonal of K* (K + noise I)^-1 K*^T

    The variance is 0 where rounding makes it negative. K = k(X, X), K* = k(X_new, X). X: (N, D), y: (N,), X_new:
    (M, D); N, M >= 1.
    """
    (length,) = options.numbers_above_0("gp_posterior", length=length)
    noise = options.number("gp_posterior: noise", noise, at_least=0)
    X, y, X_new = (np.asarray(given, np.float64) for given in (X, y, X_new))

    def k(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(2) / (2 * length**2))

    K, K_new = k(X, X) + noise * np.eye(len(X)), k(X_new, X)
    mean = K_new @ np.linalg.solve(K, y)
    variance = 1 - (K_new * np.linalg.solve(K, K_new.T).T).sum(1)
    return mean, np.maximum(variance, 0)


def expected_improvement(mean: np.ndarray, variance: np.ndarray, best: float) -> np.ndarray:
    """E[max(0, f - best)] for f normal: s (z Phi(z) + phi(z)), z = (mean - best) / s (Jones et al. 1998, equation 15);
    where s = 0, max(0, mean - best)."""
    best, s = options.number("expected_improvement: best", best), np.sqrt(variance)
    z = (mean - best) / np.where(s > 0, s, 1)
    below = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in z])
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return np.where(s > 0, s * (z * below + density), np.maximum(0, mean - best))


@exercise("14.5")
def tpe_split(rewards, fraction=0.25):
    """(good, others): the indices of the best ones and of the rest, two int64 arrays, each ascending (Bergstra et al.
    2011, section 4: the quantile y*).

    Good are the ceil(fraction N) largest of the N rewards; of equal rewards the earlier ones. 0 < fraction <= 1,
    N >= 1. The rewards, a list or an array, are not changed.
    """
    fraction = options.fraction("tpe_split: fraction", fraction)
    count = math.ceil(fraction * len(rewards))
    order = np.argsort(-np.asarray(rewards, np.float64), kind="stable")
    return np.sort(order[:count]), np.sort(order[count:])


class _Surrogate:
    """What both have: the history, and random candidates until there are `first`."""

    def __init__(self, space: Space, first: int = 8, tries: int = 200):
        self.first, self.tries = options.counts(type(self).__name__, first=first, tries=tries)
        self.space, self.candidates, self.rewards = space, [], []

    def learn(self, candidates, rewards, rng) -> None:
        self.candidates += candidates
        self.rewards += rewards

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]:
        """The best of many tries by their scores, none that is known; random ones at first."""
        if len(self.candidates) < self.first:
            return [self.space.draw(rng) for _ in range(count)]
        draw = self.drawing()
        tries = list(dict.fromkeys(draw(rng) for _ in range(self.tries)))
        new = [c for c in tries if c not in set(self.candidates)] or tries
        order = np.argsort(-self.scores(new), kind="stable")[:count]
        found = [new[k] for k in order]
        return found + [self.space.draw(rng) for _ in range(count - len(found))]


class GaussianProcess(_Surrogate):
    """Of many random candidates those with the largest expected improvement. Rewards are scaled to mean 0 and standard
    deviation 1 first."""

    def drawing(self):
        return self.space.draw

    def scores(self, candidates: list[Candidate]) -> np.ndarray:
        X = np.array([self.space.point(c) for c in self.candidates])
        y = np.array(self.rewards)
        y = (y - y.mean()) / (y.std() + 1e-12)
        mean, variance = gp_posterior(X, y, np.array([self.space.point(c) for c in candidates]))
        return expected_improvement(mean, variance, y.max())


class TPE(_Surrogate):
    """The tree-structured Parzen estimator on choices: candidates are drawn from the distribution of the good ones, and
    those with the largest ratio of the two densities are proposed. A density counts how often each choice occurs, plus
    one for each choice."""

    def _chances(self):
        good, others = tpe_split(self.rewards)
        for k, n in enumerate(self.space.sizes):
            column = np.array([c[k] for c in self.candidates])
            yield tuple((np.bincount(column[part], minlength=n) + 1) / (len(part) + n) for part in (good, others))

    def drawing(self):
        chances = [good for good, _ in self._chances()]
        return lambda rng: tuple(int(rng.choice(len(p), p=p)) for p in chances)

    def scores(self, candidates: list[Candidate]) -> np.ndarray:
        """log of the ratio."""
        ratios = [np.log(good / others) for good, others in self._chances()]
        return np.array([sum(ratio[i] for ratio, i in zip(ratios, c)) for c in candidates])
