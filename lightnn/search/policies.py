"""AMC: an agent chooses, layer by layer, which fraction of the channels stays (He et al. 2018, arXiv 1802.03494).

An episode walks through the blocks of a network in the order of the run. The agent sees a state, eleven numbers in the
paper and ten in the authors' code, which is followed here, and answers with a fraction. The action wall keeps the
walk within the budget: no block may take so much that the rest, at its least, would not fit. At the end the network
is cut (`compress.thin`), its layers are fitted again by least squares, and its accuracy without any training is the
episode's reward. The best policy of all episodes is the result.
"""

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lightnn import compress, io, nn, options
from lightnn.exercise import exercise
from lightnn.journal import draws
from lightnn.search import ddpg
from lightnn.search.blocks import Blocks, Widths
from lightnn.search.evaluating import Evaluations
from lightnn.search.given import check_given
from lightnn.search.proxy import Proxy
from lightnn.search.reconstructing import thin_and_reconstruct
from lightnn.search.rewards import constrained_reward
from lightnn.tables import Tabular


@exercise("14.3")
def action_wall(a, this, others, budget, least):
    """The action that AMC really takes, a float: at most what the budget leaves for this layer, then at least `least`
    (He et al. 2018, algorithm 1).

        a <= (budget - others) / this,    then    a >= least

    a: the agent's fraction; above 1 it counts as 1. this: the layer's MACs if all its channels stay, > 0. others: those
    of all other layers, decided ones as they are, later ones at their least. least: a number from 0 to 1. If even the
    others are above the budget, the result is `least`.
    """
    a, others, budget = options.finite("action_wall", a=a, others=others, budget=budget)
    (this,) = options.numbers_above_0("action_wall", this=this)
    options.probability("action_wall: least", least)
    return float(max(min(a, 1.0, (budget - others) / this), least))


@exercise("14.4")
def layer_state(features, macs, left, t, last):
    """What AMC's agent sees before it decides on layer t (He et al. 2018, section 3.2, as in the authors' code):
    float64 (F + 3,).

        (f - min f) / (max f - min f) for each of its features, over the layers
        reduced = sum of (macs - left) before t / sum of all macs
        rest    = sum of macs after t / sum of all macs
        last    = the action before

    Before and after t: over those layers, t not among them. features: (T, F); one that all layers have alike becomes 0.
    macs: (T,) the MACs of each layer at first, not all 0; left: (T,) those of what is left of it now. t counts from 0.
    """
    f, macs, left = (np.asarray(given, np.float64) for given in (features, macs, left))
    options.place("layer_state: t", t, len(f))
    options.finite("layer_state", last=last)
    low, high = f.min(0), f.max(0)
    scaled = (f[t] - low) / np.where(high > low, high - low, 1)
    reduced, rest = (macs[:t] - left[:t]).sum() / macs.sum(), macs[t + 1 :].sum() / macs.sum()
    return np.array([*scaled, reduced, rest, last], np.float64)


@dataclass(frozen=True)
class Plan:
    """How AMC goes. fraction: of the MACs that may stay (1 for guaranteed_reward). least: of a block's channels. step:
    widths are its multiples. at_once: episodes that one policy walks before it learns from them."""

    fraction: float = 0.5
    episodes: int = 120
    at_once: int = 4
    least: float = 0.2
    step: int = 4
    reward: Callable[[float, float], float] = constrained_reward
    agent: ddpg.Settings = field(default_factory=ddpg.Settings)
    images: int = 100  # on which layers are fitted again

    def __post_init__(self) -> None:
        names = ("episodes", "at_once", "step", "images")
        checked = {name: options.count(f"AMCPlan: {name}", getattr(self, name)) for name in names}
        checked["fraction"] = options.fraction("AMCPlan: fraction", self.fraction)
        options.settle(self, least=options.probability("AMCPlan: least", self.least), **checked)
        options.function("AMCPlan: reward", self.reward)
        options.instance("AMCPlan: agent", self.agent, ddpg.Settings, "AgentSettings")


@dataclass(frozen=True)
class Task:
    """A network cut to these widths, fitted, and not trained."""

    network: bytes
    widths: dict
    input_shape: tuple
    proxy: Proxy
    images: int


@dataclass(frozen=True)
class Episode:
    """One walk and what came of it."""

    widths: dict
    macs: int
    accuracy: float
    reward: float


class Policy(Tabular):
    """The best episode, and all of them. blocks: what the widths are of."""

    def __init__(self, best: Episode, episodes: list[Episode], blocks: Blocks):
        self.best, self.episodes, self.blocks = best, episodes, blocks

    def table(self):
        rows = [(b, n, self.best.widths[b], f"{self.best.widths[b] / n:.0%}") for b, n in self.blocks.widths.items()]
        return "", ("block", "units", "stay", ""), rows

    def __repr__(self):
        part = self.best.macs / self.blocks.macs(self.blocks.widths)
        return f"Policy({len(self.episodes)} episodes, {part:.1%} of the MACs, accuracy {self.best.accuracy:.2%})"


class Walk:
    """A network as the agent walks through it."""

    def __init__(self, model: nn.Module, input_shape: Sequence[int], plan: Plan):
        self.plan = options.instance("Walk: plan", plan, Plan, "an AMCPlan")
        self.blocks = Blocks(model, input_shape)
        self.macs = self.blocks.macs(self.blocks.widths)
        modules, self.names = dict(model.named_modules()), list(self.blocks.widths)
        self.features = np.array([_features(t, modules[name]) for t, name in enumerate(self.names)], float)
        self.least = {b: self.rounded(plan.least * n, n) for b, n in self.blocks.widths.items()}
        if self.blocks.macs(self.least) > plan.fraction * self.macs:
            raise ValueError(f"amc: want a fraction that the least widths reach, got {plan.fraction}")

    def go(self, decide: Callable[[np.ndarray], float]) -> tuple[Widths, list, list]:
        """(widths, states, actions) of one episode. The actions are those that were really taken."""
        widths, states, actions, last = dict(self.least), [], [], 1.0
        first = self._of_blocks(self.blocks.widths)
        for t, block in enumerate(self.names):
            n = self.blocks.widths[block]
            left = self._of_blocks({**self.blocks.widths, **{b: widths[b] for b in self.names[:t]}})
            states.append(layer_state(self.features, first, left, t, last))
            others, full = (self.blocks.macs({**widths, block: w}) for w in (0, n))
            budget = self.plan.fraction * self.macs
            a = action_wall(decide(states[-1]), full - others, others, budget, self.least[block] / n)
            widths[block] = self._fit(widths, block, self.rounded(a * n, n), budget)
            last = widths[block] / n
            actions.append(last)
        return widths, states, actions

    def _of_blocks(self, widths):
        """MACs of the layers that make each block's channels, depthwise ones too."""
        layers = self.blocks.layers.values()
        return [sum(layer.macs(widths) for layer in layers if b in layer.rows.of_block) for b in self.names]

    def rounded(self, width: float, most: int) -> int:
        """The nearest multiple of the step, from one step to `most`."""
        step = self.plan.step
        return int(min(most, max(step, math.floor(width / step + 0.5) * step)))

    def _fit(self, widths, block, width, budget):
        """The width, less a few steps if rounding it has gone over the budget."""
        while width > self.least[block] and self.blocks.macs({**widths, block: width}) > budget:
            width = max(self.least[block], width - self.plan.step)
        return width


def _features(t, layer):
    """Of the authors' code: index, kind, channels in and out, stride, kernel, weights."""
    if isinstance(layer, nn.Linear):
        return t, 1, layer.in_features, layer.out_features, 0, 1, layer.weight.size
    return t, 0, layer.in_channels, layer.out_channels, layer.stride[0], layer.kernel_size[0], layer.weight.size


def amc(model: nn.Module, input_shape: Sequence[int], plan: Plan, proxy: Proxy, evaluations: Evaluations) -> Policy:
    """The best policy that the agent finds for the model, which is left as it is. evaluations: for `try_policy`."""
    check_given("amc", proxy=proxy, evaluations=evaluations)
    walk = Walk(model, input_shape, plan)
    agent = ddpg.Agent(walk.features.shape[1] + 3, plan.agent, draws(proxy.seed, "agent"))

    def learn(walks, episodes):
        for (_, states, actions), episode in zip(walks, episodes):
            agent.remember(states, actions, episode.reward)
        agent.learn(len(walks) * len(walk.names), draws(proxy.seed, f"batches {agent.episodes}"))

    return _episodes(model, walk, proxy, evaluations, agent.act, learn)


def random_policies(
    model: nn.Module, input_shape: Sequence[int], plan: Plan, proxy: Proxy, evaluations: Evaluations
) -> Policy:
    """The best of as many walks whose actions are drawn evenly from [0, 1]: what amc must beat."""
    check_given("random_policies", proxy=proxy, evaluations=evaluations)
    walk = Walk(model, input_shape, plan)
    return _episodes(model, walk, proxy, evaluations, lambda state, rng: float(rng.random()), lambda *episodes: None)


def _episodes(model, walk, proxy, evaluations, act, learn):
    """All episodes: act(state, rng) decides; learn(walks, episodes) is called after each round."""
    plan, episodes = walk.plan, []
    while len(episodes) < plan.episodes:
        numbers = range(len(episodes), min(len(episodes) + plan.at_once, plan.episodes))
        walks = [walk.go(functools.partial(act, rng=draws(proxy.seed, f"episode {k}"))) for k in numbers]
        tasks = {name_of(w): policy_task(model, walk.blocks, w, proxy, plan.images) for w, _, _ in walks}
        found, new = evaluations(tasks), []
        for widths, _, _ in walks:
            accuracy, macs = found[name_of(widths)]["accuracy"], walk.blocks.macs(widths)
            new.append(Episode(widths, macs, accuracy, plan.reward(accuracy, macs)))
        learn(walks, new)
        episodes += new
    return Policy(max(episodes, key=lambda e: e.reward), episodes, walk.blocks)


def policy_task(model: nn.Module, blocks: Blocks, widths: Widths, proxy: Proxy, images: int) -> Task:
    """The Task of these widths."""
    images = options.count("policy_task: images", images)
    return Task(io.to_train_bytes(model), widths, blocks.shape, dataclasses.replace(proxy, seed=0), images)


def name_of(widths: Widths) -> str:
    """The name of a candidate."""
    return "widths " + " ".join(map(str, widths.values()))


def cut(task: Task) -> nn.Module:
    """The network of the task: the filters with the largest norms stay, and layers are fitted again."""
    model = io.from_bytes(task.network)
    blocks, x = Blocks(model, task.input_shape), task.proxy.images().training[0][: task.images]
    gone = blocks.removed(model, task.widths)
    return thin_and_reconstruct(model, compress.plan(model, blocks.found, gone), x, task.proxy.seed)


def try_policy(task: Task) -> dict:
    """{"accuracy"} of a Task: what workers do."""
    return {"accuracy": task.proxy.accuracy(cut(task))}


def ramp(walk: Walk, slope: float) -> Widths:
    """A hand-made policy within the walk's budget: the fractions that stay rise (slope > 0: the first layers lose most)
    or fall along the network, on a straight line, as high as fits. slope 0 is uniform."""
    slope = options.number("ramp: slope", slope)
    places = np.linspace(-0.5, 0.5, len(walk.names))
    for middle in np.arange(1, 0, -0.005):
        wanted = iter(np.clip(middle + slope * places, walk.plan.least, 1))
        widths = {b: walk.rounded(next(wanted) * n, n) for b, n in walk.blocks.widths.items()}
        if walk.blocks.macs(widths) <= walk.plan.fraction * walk.macs:
            return widths
    raise options.wrong("ramp: slope", "one with which something fits the budget", slope)
