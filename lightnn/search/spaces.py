"""A space of candidates: some decisions, each one of a few choices; and what a search found in it.

A candidate is a tuple with the number of a choice for each decision. MnasNet's factorised hierarchical space is one of
these: a few blocks, each with an operation, a kernel and a depth of its own, which all layers of the block share (Tan
et al. 2019, arXiv 1807.11626, section 4.1).
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lightnn import options
from lightnn.exercise import exercise
from lightnn.journal import draws
from lightnn.tables import Tabular

Candidate = tuple[int, ...]


class Space(dict):
    """{decision: its choices}, in order."""

    def __init__(self, decisions: Mapping[str, Sequence]):
        options.named("Space: decisions", decisions)
        want = "at least one choice, in a tuple or a list"
        found = {name: options.listed(f"Space: {name}", choices, want) for name, choices in decisions.items()}
        super().__init__({name: tuple(choices) for name, choices in found.items()})

    @property
    def sizes(self) -> list[int]:
        return [len(choices) for choices in self.values()]

    def count(self) -> int:
        """How many candidates there are."""
        return int(np.prod(self.sizes, dtype=object))

    def all(self) -> list[Candidate]:
        return list(itertools.product(*map(range, self.sizes)))

    def draw(self, rng: np.random.Generator) -> Candidate:
        """Each choice as likely as the others."""
        return tuple(int(rng.integers(n)) for n in self.sizes)

    def mutate(self, candidate: Candidate, rng: np.random.Generator) -> Candidate:
        """Another choice for one decision that has more than one."""
        places = [k for k, n in enumerate(self.sizes) if n > 1]
        k = places[int(rng.integers(len(places)))]
        other = int(rng.integers(self.sizes[k] - 1))
        return (*candidate[:k], other + (other >= candidate[k]), *candidate[k + 1 :])

    def choices(self, candidate: Candidate) -> dict:
        """{decision: the choice}."""
        return {name: self[name][i] for name, i in zip(self, candidate, strict=True)}

    def name_of(self, candidate: Candidate) -> str:
        """A text that no other candidate has."""
        return ", ".join(f"{name} {choice}" for name, choice in self.choices(candidate).items())

    def point(self, candidate: Candidate) -> np.ndarray:
        """The candidate as a point of [0, 1]^D, in which neighbouring choices are near to each other."""
        return np.array([i / max(1, n - 1) for i, n in zip(candidate, self.sizes)])


class Strategy(Protocol):
    """What proposes candidates and learns from their rewards."""

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]: ...

    def learn(self, candidates: list[Candidate], rewards: list[float], rng: np.random.Generator) -> None: ...


@dataclass(frozen=True)
class Found(Tabular):
    """The candidates in the order in which they were evaluated, with their rewards."""

    space: Space
    candidates: list[Candidate]
    rewards: list[float]

    @property
    def best(self) -> Candidate:
        """Of equal rewards the first."""
        return self.candidates[int(np.argmax(self.rewards))]

    def best_so_far(self) -> list[float]:
        """The largest reward after each evaluation."""
        return list(itertools.accumulate(self.rewards, max))

    def table(self):
        order = np.argsort(-np.array(self.rewards), kind="stable")[:10]
        rows = [(*map(str, self.space.choices(self.candidates[k]).values()), f"{self.rewards[k]:.4f}") for k in order]
        return "", (*self.space, "reward"), rows

    def __repr__(self):
        return f"Found({len(self.rewards)} evaluations, best reward {max(self.rewards):.4f})"


def search_space(
    space: Space,
    strategy: Strategy,
    evaluate: Callable[[list[Candidate]], list[float]],
    count: int,
    *,
    at_once: int = 5,
    seed: int = 0,
) -> Found:
    """`count` evaluations, in rounds of `at_once` candidates that the strategy proposes without seeing each other's
    rewards. evaluate: the rewards of some candidates, in their order. The same seed gives the same search."""
    count, at_once = options.counts("search_space", count=count, at_once=at_once)
    options.function("search_space: evaluate", evaluate)
    seed = options.seed("search_space: seed", seed)
    candidates, rewards = [], []
    while len(candidates) < count:
        rng = draws(seed, f"round {len(candidates)}")
        new = strategy.propose(min(at_once, count - len(candidates)), rng)
        gained = evaluate(new)
        strategy.learn(new, gained, rng)
        candidates, rewards = candidates + new, rewards + list(gained)
    return Found(space, candidates, rewards)


@exercise("14.2")
def latency_reward(accuracy, latency, target, alpha=-0.07, beta=-0.07):
    """MnasNet's reward, a float (Tan et al. 2019, equations 2 and 3):

        accuracy (latency / target)^w
        w = alpha if latency <= target, else beta

    With alpha = beta = -0.07 the target is soft: a network that is faster than the target gains by it, too. With
    alpha = 0 and beta = -1 it is hard: within the target only the accuracy counts. ValueError unless latency and target
    are finite numbers > 0.
    """
    latency, target = options.numbers_above_0("latency_reward", latency=latency, target=target)
    accuracy, alpha, beta = options.finite("latency_reward", accuracy=accuracy, alpha=alpha, beta=beta)
    w = alpha if latency <= target else beta
    return float(accuracy * (latency / target) ** w)


def pareto_front(accuracies: Sequence[float], costs: Sequence[float]) -> list[int]:
    """The indices of those that no other beats, by rising cost: none is at least as accurate at no more cost, and
    better in one of the two. Of equal ones the first."""
    front, best = [], -np.inf
    for k in sorted(range(len(costs)), key=lambda k: (costs[k], -accuracies[k], k)):
        if accuracies[k] > best:
            front.append(k)
            best = accuracies[k]
    return front
