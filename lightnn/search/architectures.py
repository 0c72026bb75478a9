"""MnasNet's question on a small scale: which blocks, within a latency that is measured? (Tan et al. 2019, 1807.11626.)

A candidate is a `models.searched` network. Its accuracy is that after a short training on a proxy, its latency that of
the whole network, lowered, on this machine; both are in the journal, so that every search over the same space, by
whichever strategy and seed, asks for a network once.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lightnn import models, nn, options
from lightnn.journal import draws
from lightnn.options import Rng
from lightnn.search.evaluating import Evaluations
from lightnn.search.given import check_given
from lightnn.search.pace import Pace, whole_ms
from lightnn.search.proxy import Proxy
from lightnn.search.spaces import Candidate, Space
from lightnn.training import Recipe


def block_space(blocks: int = 2, kernels: tuple[int, ...] = (3, 5), depths: tuple[int, ...] = (1, 2)) -> Space:
    """The factorised hierarchical space: for each block, of which there are at most eight, an operation, a kernel,
    and how many layers."""
    blocks, odd = options.count("block_space: blocks", blocks, at_most=8), "odd ints >= 1"
    kernels = _choices("block_space: kernels", kernels, odd)
    if not all(kernel % 2 for kernel in kernels):
        raise options.wrong("block_space: kernels", odd, kernels)
    depths, decisions = _choices("block_space: depths", depths, "ints >= 1"), {}
    for k in range(1, blocks + 1):
        decisions |= {f"block {k}": models.OPERATIONS, f"kernel {k}": kernels, f"layers {k}": depths}
    return Space(decisions)


def _choices(name, values, want):
    return options.ints(name, options.listed(name, values, want), want, at_least=1)


def build(space: Space, candidate: Candidate, width: int = 8, rng: Rng = 0) -> nn.Module:
    """The network of a candidate, untrained."""
    rng = options.generator("build: rng", rng)
    chosen = list(space.choices(candidate).values())
    operations = [models.OPERATIONS.index(name) for name in chosen[::3]]
    return models.searched(operations, chosen[1::3], chosen[2::3], width, rng=rng)


@dataclass(frozen=True)
class Task:
    """Train a candidate for a short time."""

    decisions: dict
    candidate: Candidate
    width: int
    recipe: Recipe
    proxy: Proxy


def try_architecture(task: Task) -> dict:
    """{"accuracy"} of a Task: what workers do."""
    space = Space(task.decisions)
    name = space.name_of(task.candidate)
    model = build(space, task.candidate, task.width, draws(task.proxy.seed, f"weights of {name}"))
    return {"accuracy": task.proxy.train(model, task.recipe, name)}


class Measured:
    """The accuracies and latencies of candidates: {"accuracy", "ms"} for each, in their order.

    evaluations: for `try_architecture`. Latencies are measured here, in one process, at the pace of one reference.
    """

    def __init__(self, space: Space, recipe: Recipe, proxy: Proxy, evaluations: Evaluations, *, width=8, batch=16):
        self.width, batch = options.counts("Measured", width=width, batch=batch)
        check_given("Measured", space=space, recipe=recipe, proxy=proxy, evaluations=evaluations)
        self.space, self.recipe, self.proxy, self.evaluations = space, recipe, proxy, evaluations
        self.shape = (batch, 1, 28, 28)
        reference = evaluations.journal.step("reference", lambda: {"ms": Pace().reference_ms})
        self.pace = Pace(reference["ms"])

    def __call__(self, candidates: list[Candidate]) -> list[dict]:
        tasks = {
            self.space.name_of(c): Task(dict(self.space), c, self.width, self.recipe, self.proxy) for c in candidates
        }
        found = self.evaluations(tasks)
        names = [self.space.name_of(c) for c in candidates]
        return [{**found[name], "ms": self._ms(name, c)} for name, c in zip(names, candidates)]

    def _ms(self, name, candidate):
        def work():
            model = build(self.space, candidate, self.width)
            return {"ms": whole_ms({"": model}, self.shape, self.pace)[""]}

        return self.evaluations.journal.step(f"latency of {name}", work)["ms"]

    def rewards(self, reward: Callable[[float, float], float]) -> Callable[[list[Candidate]], list[float]]:
        """For `search_space`: reward(accuracy, ms) of candidates."""
        return lambda candidates: [reward(n["accuracy"], n["ms"]) for n in self(candidates)]
