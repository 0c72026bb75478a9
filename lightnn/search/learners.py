"""PocketFlow's frame: learners that compress, and an optimiser that chooses their settings (Wu et al. 2018).

A learner says which decisions it leaves open, and carries them out. Several learners in a row are a pipeline, such as
"sparse+shared"; the network is trained for a short time after each. A candidate is judged by its accuracy and by the
bytes of its file. Any strategy of this package may choose: random search, the Gaussian process, TPE, or the DDPG agent,
which walks from decision to decision.

    channels    the fraction of each block's units that stay           (PocketFlow's ChannelPruned, DisChnPruned)
    sparse      the fraction of each large weight's numbers            (WeightSparse)
    uniform     the bits of each weight, evenly spaced values          (UniformQuant)
    shared      the bits of each weight, clustered values              (NonUniformQuant)
    binary      which weights have one bit, with a scale a filter
    product     codebooks of blocks of four weights: their centroids
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import compress, io, nn, options
from lightnn.journal import draws
from lightnn.search import ddpg
from lightnn.search.blocks import Blocks
from lightnn.search.evaluating import Evaluations
from lightnn.search.given import check_given
from lightnn.search.proxy import Proxy
from lightnn.search.rewards import sized_reward
from lightnn.search.spaces import Candidate, Found, Space, Strategy, search_space
from lightnn.training import Recipe, distil

LARGE = 1000  # numbers of a weight that is worth a decision of its own
BLOCK = 4  # weights of a block of `product`
WIDTHS, DENSITIES, BITS, CENTROIDS = (
    (1.0, 0.75, 0.5, 0.35),
    (1.0, 0.5, 0.25, 0.12, 0.06, 0.03),
    (2, 3, 4, 5, 6, 8),
    (16, 64),
)


def large_weights(model: nn.Module) -> dict[str, nn.Parameter]:
    """{path of a layer: its weight}, of those with at least LARGE numbers, or all if there are none."""
    weights = {path: m.weight for path, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)}
    return {path: p for path, p in weights.items() if p.size >= LARGE} or weights


def _by_weight(choices):
    return lambda model, shape: dict.fromkeys(large_weights(model), choices)


def _use(act):
    """A learner's action that does act(weight, choice) on each weight that a choice is for."""

    def apply(model, shape, chosen):
        weights = large_weights(model)
        for path, choice in chosen.items():
            if choice is not None:
                act(weights[path], choice)
        return model

    return apply


def _block_widths(model, shape):
    return dict.fromkeys(Blocks(model, shape).widths, WIDTHS)


def _narrow(model, shape, chosen):
    blocks = Blocks(model, shape)
    return blocks.thin(model, {block: max(1, round(chosen[block] * n)) for block, n in blocks.widths.items()})


def _product(p, k):
    if math.prod(p.shape[1:]) % BLOCK == 0:
        compress.product_quantize(p, k, BLOCK, iterations=10)


LEARNERS = {  # name: (the choices of each decision, what carries them out)
    "channels": (_block_widths, _narrow),
    "sparse": (_by_weight(DENSITIES), _use(compress.prune_to_fraction)),
    "uniform": (_by_weight(BITS), _use(compress.use_affine)),
    "shared": (_by_weight(BITS), _use(compress.share)),
    "binary": (_by_weight((None, True)), _use(lambda p, choice: compress.use_binary_filters(p))),
    "product": (_by_weight((None, *CENTROIDS)), _use(_product)),
}
VALUES = ("uniform", "shared", "binary", "product")  # of which a pipeline has one


def pipeline(text: str) -> tuple[str, ...]:
    """("sparse", "shared") of "sparse+shared". ValueError for an unknown learner, one twice, two that set values, and
    learners in another order than in LEARNERS."""
    return _pipeline("pipeline", text)


def _pipeline(where, text):
    names = tuple(options.text(where, text).split("+"))
    for name in names:
        options.one_of(f"{where}: learner", name, list(LEARNERS))
    values = [name for name in names if name in VALUES]
    if len(values) > 1 or list(names) != [name for name in LEARNERS if name in names]:
        raise ValueError(f"{where}: want learners in the order {', '.join(LEARNERS)}, one of values; got {text!r}")
    return names


def learners_space(model: nn.Module, input_shape: Sequence[int], names: tuple[str, ...]) -> Space:
    """All decisions of a pipeline: "sparse fc1", "shared fc1", ..."""
    shape, decisions = options.shape("learners_space: input_shape", input_shape), {}
    for name in options.listed("learners_space: names", names, "names of learners"):
        options.one_of("learners_space: names", name, list(LEARNERS))
        decisions |= {f"{name} {key}": choices for key, choices in LEARNERS[name][0](model, shape).items()}
    return Space(decisions)


@dataclass(frozen=True)
class Task:
    """Compress a network as a candidate says. recipe: of the training after each learner. teacher: whether the network
    before compression teaches (PocketFlow's distillation wrapper)."""

    network: bytes
    names: tuple
    chosen: dict
    input_shape: tuple
    recipe: Recipe
    proxy: Proxy
    teacher: bool


def compressed(task: Task) -> nn.Module:
    """The network of a Task, after its trainings."""
    model = io.from_bytes(task.network)
    recipe = task.recipe
    if task.teacher:
        recipe = dataclasses.replace(recipe, loss=distil(io.from_bytes(task.network)))
    for name in task.names:
        own = {key.removeprefix(f"{name} "): c for key, c in task.chosen.items() if key.startswith(f"{name} ")}
        model = LEARNERS[name][1](model, task.input_shape, own)
        task.proxy.train(model, recipe, f"after {name}")
    return model


def try_compression(task: Task) -> dict:
    """{"accuracy", "bytes"} of a Task: what workers do."""
    model = compressed(task)
    return {"accuracy": task.proxy.accuracy(model), "bytes": len(io.to_bytes(model))}


class AgentStrategy:
    """The DDPG agent of AMC on any space: it walks from decision to decision, sees which one it is and what it chose
    last, and its action in [0, 1] is the choice's place."""

    def __init__(self, space: Space, settings: ddpg.Settings | None = None, seed: int = 0):
        if settings is None:
            settings = ddpg.Settings(hidden=32, warm_up=10, decay=0.9)
        options.instance("AgentStrategy: settings", settings, ddpg.Settings, "AgentSettings or None")
        rng = draws(options.seed("AgentStrategy: seed", seed), "agent")
        self.space, self.agent = space, ddpg.Agent(len(space) + 1, settings, rng)
        self._walks = {}

    def propose(self, count: int, rng: np.random.Generator) -> list[Candidate]:
        found = []
        for _ in range(count):
            states, actions, candidate = [], [], []
            for k, n in enumerate(self.space.sizes):
                states.append(np.array([*np.eye(len(self.space))[k], actions[-1] if actions else 1.0]))
                actions.append(self.agent.act(states[-1], rng))
                candidate.append(min(n - 1, int(actions[-1] * n)))
            self._walks[tuple(candidate)] = states, actions
            found.append(tuple(candidate))
        return found

    def learn(self, candidates, rewards, rng) -> None:
        for candidate, reward in zip(candidates, rewards):
            self.agent.remember(*self._walks[candidate], reward)
        self.agent.learn(len(candidates) * len(self.space), rng)


@dataclass(frozen=True)
class Goal:
    """What pocketflow is to reach, and with what. budget_bytes: of the file."""

    learners: str
    budget_bytes: int
    count: int
    recipe: Recipe
    teacher: bool = False
    at_once: int = 4

    def __post_init__(self) -> None:
        _pipeline("Goal: learners", self.learners)
        budget = options.count("Goal: budget_bytes", self.budget_bytes, at_most=options.WIDEST)
        count, at_once = options.counts("Goal", count=self.count, at_once=self.at_once)
        check_given("Goal", recipe=self.recipe)
        teacher = options.flag("Goal: teacher", self.teacher)
        options.settle(self, budget_bytes=budget, count=count, teacher=teacher, at_once=at_once)


def compression_task(
    model: nn.Module, input_shape: Sequence[int], goal: Goal, space: Space, candidate: Candidate, proxy: Proxy
) -> Task:
    """The Task of a candidate."""
    shape = options.shape("compression_task: input_shape", input_shape)
    check_given("compression_task", proxy=proxy)
    options.instance("compression_task: goal", goal, Goal, "a Goal")
    chosen, fixed = space.choices(candidate), dataclasses.replace(proxy, seed=0)
    names = pipeline(goal.learners)
    return Task(io.to_train_bytes(model), names, chosen, shape, goal.recipe, fixed, goal.teacher)


def pocketflow(
    model: nn.Module, input_shape: Sequence[int], goal: Goal, strategy: type, proxy: Proxy, evaluations: Evaluations
) -> Found:
    """What a strategy finds for the goal: candidates of `learners_space`, and their `sized_reward`.

    strategy(space): a Strategy. evaluations: for `try_compression`; the search's seed is the proxy's. The model is left
    as it is. `compressed(compression_task(...))` gives the best candidate's network.
    """
    check_given("pocketflow", proxy=proxy, evaluations=evaluations)
    options.instance("pocketflow: goal", goal, Goal, "a Goal")
    options.function("pocketflow: strategy", strategy)
    space = learners_space(model, input_shape, pipeline(goal.learners))

    def evaluate(candidates):
        tasks = {
            f"{goal.learners}: {space.name_of(c)}": compression_task(model, input_shape, goal, space, c, proxy)
            for c in candidates
        }
        found = evaluations(tasks)
        rows = [found[f"{goal.learners}: {space.name_of(c)}"] for c in candidates]
        return [sized_reward(row["accuracy"], row["bytes"], goal.budget_bytes) for row in rows]

    made: Strategy = strategy(space)
    return search_space(space, made, evaluate, goal.count, at_once=goal.at_once, seed=proxy.seed)
