"""How a search chooses the next candidates of a space: at random, by evolution, or by a controller that learns.

Each has `propose` and `learn` (see spaces.py), so all are compared at equal evaluations. The controller is a
distribution over candidates, independent for each decision, whose logits are trained by policy gradient; MnasNet's own
is a recurrent network, which can also learn that a choice is good only after another one.
"""

from collections import deque

import numpy as np

from lightnn import functional as F
from lightnn import nn, optim, options
from lightnn.exercise import exercise
from lightnn.search.spaces import Candidate, Space
from lightnn.tensor import Tensor


class RandomSearch:
    """Candidates drawn evenly, none twice while there are others."""

    def __init__(self, space: Space):
        self.space, self.seen = space, set()

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]:
        found = []
        for _ in range(count):
            candidate = self.space.draw(rng)
            while candidate in self.seen and len(self.seen) < self.space.count():
                candidate = self.space.draw(rng)
            self.seen.add(candidate)
            found.append(candidate)
        return found

    def learn(self, candidates, rewards, rng) -> None:
        """It does not."""


class Evolution:
    """Regularised evolution (Real et al. 2019, arXiv 1802.01548, algorithm 1): a child is a mutation of the best of
    `sample` members, drawn from the last `population` candidates; the oldest member dies, however good it is."""

    def __init__(self, space: Space, population: int = 15, sample: int = 5):
        population, self.sample = options.counts("Evolution", population=population, sample=sample)
        self.space, self.members = space, deque(maxlen=population)

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]:
        return [self._child(rng) for _ in range(count)]

    def _child(self, rng):
        if len(self.members) < self.members.maxlen:
            return self.space.draw(rng)
        drawn = rng.choice(len(self.members), min(self.sample, len(self.members)), replace=False)
        parent = max((self.members[k] for k in drawn), key=lambda member: member[1])
        return self.space.mutate(parent[0], rng)

    def learn(self, candidates, rewards, rng) -> None:
        self.members.extend(zip(candidates, rewards))


class Reinforce:
    """A controller trained by REINFORCE with a baseline (Williams 1992): each logit follows

    (R - b) d log p(candidate) / d logit,    b = a moving average of the rewards
    """

    def __init__(self, space: Space, lr: float = 0.2, smoothing: float = 0.8):
        name = type(self).__name__
        self.smoothing = options.probability(f"{name}: smoothing", smoothing)
        lr = options.number(f"{name}: lr", lr, at_least=0)
        self.space, self.baseline = space, None
        self.logits = [nn.Parameter(np.zeros((1, n), np.float32)) for n in space.sizes]
        self.steps = optim.Adam(self.logits, lr=lr)

    def probabilities(self) -> dict[str, np.ndarray]:
        """{decision: how likely each of its choices is}."""
        return {name: F.softmax(Tensor(p.data)).data[0] for name, p in zip(self.space, self.logits)}

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]:
        chances = [p.astype(np.float64) / p.sum(dtype=np.float64) for p in self.probabilities().values()]
        return [tuple(int(rng.choice(len(p), p=p)) for p in chances) for _ in range(count)]

    def log_p(self, candidates: list[Candidate]) -> Tensor:
        """log p of each candidate, (N,)."""
        total = 0
        for k, p in enumerate(self.logits):
            hot = np.eye(p.shape[1], dtype=np.float32)[[c[k] for c in candidates]]
            total = total + (Tensor(hot) * F.log_softmax(p)).sum(1)
        return total

    def advantages(self, rewards: list[float]) -> np.ndarray:
        """R - b; then b moves towards the mean of the rewards."""
        mean = float(np.mean(rewards))
        b = mean if self.baseline is None else self.baseline
        self.baseline = self.smoothing * b + (1 - self.smoothing) * mean
        return np.array(rewards, np.float64) - b

    def learn(self, candidates, rewards, rng) -> None:
        self.follow(candidates, self.advantages(rewards) / len(rewards))

    def follow(self, candidates: list[Candidate], dlog_p: np.ndarray) -> None:
        """One step along the gradient that dlog_p (N,) of log p gives."""
        self.steps.zero_grad()
        (-(self.log_p(candidates) * Tensor(np.asarray(dlog_p, np.float32))).sum()).backward()
        self.steps.step()


class PPO(Reinforce):
    """The controller trained by proximal policy optimisation (Schulman et al. 2017, arXiv 1707.06347), as MnasNet's:
    several steps on the same rewards, which the clipped objective keeps from going too far. Advantages are divided by
    their standard deviation."""

    def __init__(self, space: Space, lr: float = 0.1, smoothing: float = 0.8, epochs: int = 4, eps: float = 0.2):
        super().__init__(space, lr, smoothing)
        self.epochs = options.times("PPO: epochs", epochs)
        self.eps = options.number("PPO: eps", eps, at_least=0)

    def learn(self, candidates, rewards, rng) -> None:
        a = self.advantages(rewards)
        a = a / (np.sqrt((a**2).mean()) + 1e-8)
        old = self.log_p(candidates).data
        for _ in range(self.epochs):
            _, dlog_p = clipped_objective(self.log_p(candidates).data, old, a, self.eps)
            self.follow(candidates, dlog_p)


@exercise("14.6")
def clipped_objective(log_p, log_p_old, advantages, eps=0.2):
    """(L, dL/dlog_p), a float and float64 (N,), of PPO's clipped objective, which is to be made large (Schulman et al.
    2017, arXiv 1707.06347, equation 7):

        r = p / p_old,    L = mean of min(r A, clip(r, 1 - eps, 1 + eps) A)

    The gradient is r A / N, and 0 where the clipped term is the smaller one: where A > 0 and r > 1 + eps, or A < 0 and
    r < 1 - eps. log_p, log_p_old and advantages A: (N,), lists or arrays, not changed.
    """
    eps = options.number("clipped_objective: eps", eps, at_least=0)
    log_p, old, a = (np.asarray(given, np.float64) for given in (log_p, log_p_old, advantages))
    r = np.exp(log_p - old)
    free, held = r * a, np.clip(r, 1 - eps, 1 + eps) * a
    return float(np.minimum(free, held).mean()), np.where(held < free, 0.0, free) / len(r)
