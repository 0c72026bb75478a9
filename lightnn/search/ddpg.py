"""Deep deterministic policy gradient: an agent that learns which number to choose in which state.

    y_i = r_i - b + gamma Q'(s_{i+1}, mu'(s_{i+1}))        the critic Q(s, a) learns it by mean squared error
    grad J = mean of grad_a Q(s, a)|_{a = mu(s)} grad mu(s)  the actor mu(s) follows it

(Lillicrap et al. 2016, arXiv 1509.02971, algorithm 1, as AMC uses it: He et al. 2018, arXiv 1802.03494, equations 5 and
6.) b is a moving average of past rewards, which keeps the targets near 0. mu' and Q' follow mu and Q slowly. Every
state is part of an episode of fixed length, so gamma is 1.
"""

import copy
import math
from dataclasses import dataclass

import numpy as np

from lightnn import functional as F
from lightnn import nn, optim, options
from lightnn.tensor import Tensor, no_grad

COUNTS, FRACTIONS = ("hidden", "batch", "capacity"), ("tau", "decay", "smoothing")  # of the settings


@dataclass(frozen=True)
class Settings:
    """The agent's own options. warm_up: episodes with the full noise sigma, which then shrinks by `decay` an episode;
    sigma is at most 100, since noise is drawn until an action is in [0, 1].
    tau: how far the slow networks move at each update. capacity: transitions that are remembered."""

    hidden: int = 64
    lr_actor: float = 1e-3
    lr_critic: float = 1e-2
    tau: float = 0.02
    batch: int = 64
    capacity: int = 2000
    sigma: float = 0.5
    warm_up: int = 40
    decay: float = 0.95
    smoothing: float = 0.95  # of the moving average of rewards

    def __post_init__(self) -> None:
        checked = {name: options.count(f"AgentSettings: {name}", getattr(self, name)) for name in COUNTS}
        checked |= {name: options.probability(f"AgentSettings: {name}", getattr(self, name)) for name in FRACTIONS}
        for name, most in (("lr_actor", math.inf), ("lr_critic", math.inf), ("sigma", 100)):
            checked[name] = options.number(f"AgentSettings: {name}", getattr(self, name), at_least=0, at_most=most)
        options.settle(self, warm_up=options.times("AgentSettings: warm_up", self.warm_up), **checked)


class Agent:
    """Actor, critic, their slow copies, and what they remember. Actions are in [0, 1]; all draws come from the
    generator that a call gets."""

    def __init__(self, state_size: int, settings: Settings, rng: np.random.Generator):
        self.settings, h = settings, settings.hidden
        self.actor = nn.Sequential(*_layers(state_size, h, rng), nn.Sigmoid())
        self.critic = nn.Sequential(*_layers(state_size + 1, h, rng))
        self.slow_actor, self.slow_critic = copy.deepcopy(self.actor), copy.deepcopy(self.critic)
        self._actor_steps = optim.Adam(self.actor.parameters(), lr=settings.lr_actor)
        self._critic_steps = optim.Adam(self.critic.parameters(), lr=settings.lr_critic)
        self.memory, self.baseline, self.episodes = [], None, 0

    @property
    def sigma(self) -> float:
        """Of the noise now."""
        s = self.settings
        return s.sigma * s.decay ** max(0, self.episodes - s.warm_up)

    def act(self, state: np.ndarray, rng: np.random.Generator) -> float:
        """mu(s) plus normal noise, drawn again until it is in [0, 1] (a truncated normal)."""
        with no_grad():
            mean = float(self.actor(_row(state)).data[0, 0])
        while True:
            a = mean + self.sigma * float(rng.standard_normal())
            if 0 <= a <= 1 or self.sigma < 1e-6:
                return min(1.0, max(0.0, a))

    def remember(self, states: list[np.ndarray], actions: list[float], reward: float) -> None:
        """An episode: its reward is that of each of its actions, as in the authors' code."""
        after = [*states[1:], np.zeros_like(states[0])]
        for k, (s, a, s2) in enumerate(zip(states, actions, after)):
            self.memory.append((s, a, reward, s2, float(k < len(states) - 1)))
        del self.memory[: -self.settings.capacity]
        self.episodes += 1
        d = self.settings.smoothing
        self.baseline = reward if self.baseline is None else d * self.baseline + (1 - d) * reward

    def learn(self, updates: int, rng: np.random.Generator) -> None:
        """So many updates, each on a batch of what is remembered; nothing during the warm-up."""
        if self.episodes < self.settings.warm_up:
            return
        for _ in range(updates):
            chosen = rng.integers(0, len(self.memory), self.settings.batch)
            self._update(*(np.array(part, np.float32) for part in zip(*(self.memory[i] for i in chosen))))

    def _update(self, s, a, r, s2, goes_on):
        a, r, goes_on = a[:, None], r[:, None], goes_on[:, None]
        with no_grad():
            after = self.slow_critic(F.concat([Tensor(s2), self.slow_actor(Tensor(s2))], dim=1)).data
        y = critic_target(r, self.baseline, after, goes_on)
        _step(self._critic_steps, F.mse_loss(self.critic(Tensor(np.concatenate([s, a], 1))), Tensor(y)))
        state = Tensor(s)
        _step(self._actor_steps, -self.critic(F.concat([state, self.actor(state)], dim=1)).mean())
        for slow, fast in ((self.slow_actor, self.actor), (self.slow_critic, self.critic)):
            for p, q in zip(slow.parameters(), fast.parameters()):
                p.data += self.settings.tau * (q.data - p.data)


def critic_target(r, b, after, goes_on):
    """y = r - b + Q'(s_{i+1}, mu'(s_{i+1})), the last term only where the episode goes on; in r's dtype."""
    return (r - b + goes_on * after).astype(r.dtype)


def _layers(size, hidden, rng):
    return (nn.Linear(size, hidden, rng=rng), nn.ReLU(), nn.Linear(hidden, hidden, rng=rng), nn.ReLU(),
            nn.Linear(hidden, 1, rng=rng))  # fmt: skip


def _row(state):
    return Tensor(np.asarray(state, np.float32)[None])


def _step(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
