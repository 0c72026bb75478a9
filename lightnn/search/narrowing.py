"""NetAdapt narrows a network step by step until it fits a budget (Yang et al. 2018, arXiv 1804.03230, algorithm 1).

Each iteration asks of every block: how wide may it stay, if it alone must bring the resource down to the iteration's
target? That many units with the largest norms stay, the network is trained for a short time, and the block whose
network has the best accuracy wins. When the budget is reached, the network is trained for a long time.

The resource is anything that a function of widths gives: milliseconds from a table of measured latencies, or MACs.
Accuracies are those on images set apart for validation; a block that cannot reach the target by itself sits out. If all
sit out, as happens late in small networks, the iteration's reduction is halved until one block can reach it.
"""

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lightnn import io, nn, options
from lightnn.exercise import exercise
from lightnn.journal import Journal
from lightnn.search.blocks import Blocks, Widths, multiples
from lightnn.search.evaluating import Evaluations
from lightnn.search.given import check_given
from lightnn.search.proxy import Proxy
from lightnn.tables import Tabular
from lightnn.training import Recipe

Cost = Callable[[Blocks, Widths], float]


@exercise("14.1")
def resource_target(now, first, iteration, ratio=0.025, decay=0.96):
    """The resource that iteration i = 1, 2, ... of NetAdapt must reach (Yang et al. 2018, section 3.2), a float:

        target_i = R_{i-1} - ratio R_0 decay^(i-1)

    now: R_{i-1}, what the network takes before this iteration, which may be less than the last target. first: R_0, what
    the network took before the first one. The reduction shrinks by `decay` each time. ValueError unless iteration is an
    int >= 1.
    """
    i = options.count("resource_target: iteration", iteration)
    now, first, ratio, decay = options.finite("resource_target", now=now, first=first, ratio=ratio, decay=decay)
    return float(now - ratio * first * decay ** (i - 1))


def widest(widths, costs, target):
    """The largest of the widths whose cost is at most the target; None if none of them is (NetAdapt, section 3.2: such
    a block sits out).

    widths: ints, and costs: numbers, the cost of each, as lists or arrays of one length in any order. A wider block may
    cost less than a narrower one: measured costs do not always rise with the width.
    """
    options.number("widest: target", target)
    return max((int(w) for w, cost in zip(widths, costs, strict=True) if cost <= target), default=None)


@dataclass(frozen=True)
class Plan:
    """How NetAdapt goes: the first reduction as a fraction of the network's resource, its decay, the widths' step, and
    how candidates and the result are trained."""

    short: Recipe
    long: Recipe
    ratio: float = 0.025
    decay: float = 0.96
    step: int = 8
    long_images: int | None = None  # for the long training; None: as many as for the short ones
    most: int = 100  # iterations

    def __post_init__(self) -> None:
        check_given("NetAdaptPlan", short=self.short, long=self.long)
        step, most = options.counts("NetAdaptPlan", step=self.step, most=self.most)
        checked = {name: options.fraction(f"NetAdaptPlan: {name}", getattr(self, name)) for name in ("ratio", "decay")}
        if self.long_images is not None:
            checked["long_images"] = options.count("NetAdaptPlan: long_images", self.long_images)
        options.settle(self, step=step, most=most, **checked)


@dataclass(frozen=True)
class Proposal:
    """A task: narrow one block of the network, train it for a short time, and say how accurate it is."""

    network: bytes
    widths: dict
    input_shape: tuple
    recipe: Recipe
    proxy: Proxy
    name: str


@dataclass(frozen=True)
class Iteration:
    """What one iteration has chosen. tried: {block: accuracy} of all proposals."""

    target: float
    block: str
    widths: dict
    cost: float
    accuracy: float
    tried: dict


class Adapted(Tabular):
    """A network that fits the budget, after the long training, and how it came about. accuracy: on the validation
    images."""

    def __init__(self, model: nn.Module, widths: Widths, cost: float, accuracy: float, iterations: list[Iteration]):
        self.model, self.widths, self.cost, self.accuracy, self.iterations = model, widths, cost, accuracy, iterations

    def table(self):
        rows = [
            (k, f"{i.target:.4g}", i.block, i.widths[i.block], f"{i.cost:.4g}", f"{i.accuracy:.2%}")
            for k, i in enumerate(self.iterations, 1)
        ]
        return "", ("iteration", "target", "block", "to", "cost", "accuracy"), rows

    def __repr__(self):
        return f"Adapted({len(self.iterations)} iterations, cost {self.cost:.4g}, accuracy {self.accuracy:.2%})"


def netadapt(
    model: nn.Module,
    input_shape: Sequence[int],
    cost: Cost,
    budget: float,
    plan: Plan,
    proxy: Proxy,
    evaluations: Evaluations,
) -> Adapted:
    """The model narrowed until cost(blocks, widths) <= budget. The model itself is left as it is.

    evaluations: made for `try_proposal`; its journal keeps the iterations too. ValueError if no block can be narrowed
    any further and the budget is not reached.
    """
    options.function("netadapt: cost", cost)
    options.numbers_above_0("netadapt", budget=budget)
    options.instance("netadapt: plan", plan, Plan, "a NetAdaptPlan")
    check_given("netadapt", proxy=proxy, evaluations=evaluations)
    journal, iterations, shape = evaluations.journal, [], options.shape("netadapt: input_shape", input_shape)
    blocks = Blocks(model, shape)
    widths, first = dict(blocks.widths), cost(blocks, blocks.widths)
    now = first
    while now > budget:
        i = len(iterations) + 1
        if i > plan.most:
            raise ValueError(f"netadapt: want the budget reached in {plan.most} iterations, got {now:.4g}")
        target = max(budget, resource_target(now, first, i, plan.ratio, plan.decay))
        target, proposals = _proposals(model, blocks, cost, (now, target, budget), plan, proxy, i)
        found = evaluations(proposals)
        chosen = max(proposals, key=lambda name: found[name]["accuracy"])  # of equal ones the first
        model, numbers = journal.network(f"network of {chosen}", functools.partial(adapted, proposals[chosen]))
        tried = {_changed(widths, proposals[name].widths): numbers["accuracy"] for name, numbers in found.items()}
        block, widths = _changed(widths, proposals[chosen].widths), proposals[chosen].widths
        blocks = Blocks(model, shape)
        now = cost(blocks, widths)
        iterations.append(Iteration(target, block, widths, now, numbers["accuracy"], tried))
    longer = proxy if plan.long_images is None else dataclasses.replace(proxy, training=plan.long_images)
    model, numbers = finished(model, plan.long, longer, journal, f"long training to {budget:.6g}")
    return Adapted(model, widths, now, numbers["accuracy"], iterations)


def _proposals(model, blocks, cost, way, plan, proxy, i):
    """(target, {name: Proposal}) of each block that can reach the target by itself. way: (what the network takes now,
    the iteration's target, the budget)."""
    stored, (now, target, budget) = io.to_train_bytes(model), way
    curves = {block: _curve(blocks, cost, block, plan.step) for block in blocks.widths}
    reached = min((c for costs in curves.values() for c in costs.values()), default=now)
    if reached >= now:
        raise ValueError(
            f"netadapt: no block alone can bring the cost below {now:.4g}; want a larger budget, got {budget:.4g}"
        )
    while target < reached:
        target = now - (now - target) / 2
    proposals = {}
    for block, costs in curves.items():
        if (stays := widest(costs.keys(), costs.values(), target)) is not None:
            name = f"iteration {i}: {block} to {stays}"
            wanted = {**blocks.widths, block: stays}
            proposals[name] = Proposal(stored, wanted, blocks.shape, plan.short, proxy, name)
    return target, proposals


def _curve(blocks, cost, block, step):
    """{smaller width of the block: the network's cost}."""
    return {w: cost(blocks, {**blocks.widths, block: w}) for w in multiples(blocks.widths[block], step)}


def _changed(before, after):
    return next(block for block, width in after.items() if width != before[block])


def adapted(proposal: Proposal) -> tuple[nn.Module, dict]:
    """The narrowed network after the short training, and {"accuracy"}."""
    model = io.from_bytes(proposal.network)
    thin = Blocks(model, proposal.input_shape).thin(model, proposal.widths)
    return thin, {"accuracy": proposal.proxy.train(thin, proposal.recipe, proposal.name)}


def try_proposal(proposal: Proposal) -> dict:
    """{"accuracy"} of a Proposal: what workers do."""
    return adapted(proposal)[1]


def finished(model: nn.Module, recipe: Recipe, proxy: Proxy, journal: Journal, name: str) -> tuple[nn.Module, dict]:
    """The model trained on by the recipe, and {"accuracy"}: a step of the journal."""
    check_given("finished", recipe=recipe, proxy=proxy, journal=journal)
    options.text("finished: name", name)

    def work():
        twin = io.from_bytes(io.to_train_bytes(model))
        return twin, {"accuracy": proxy.train(twin, recipe, name)}

    return journal.network(name, work)


def uniform_widths(blocks: Blocks, cost: Cost, budget: float, step: int = 8) -> Widths:
    """All blocks narrowed by one factor, as little as fits the budget: the multiple of step next to the factor's share,
    at least one step. ValueError if nothing fits."""
    options.function("uniform_widths: cost", cost)
    options.numbers_above_0("uniform_widths", budget=budget)
    step = options.count("uniform_widths: step", step)
    for percent in range(100, 0, -1):
        widths = {b: max(min(step, n), round(n * percent / 100 / step) * step) for b, n in blocks.widths.items()}
        widths = {b: min(n, blocks.widths[b]) for b, n in widths.items()}
        if cost(blocks, widths) <= budget:
            return widths
    raise ValueError(f"uniform_widths: want a budget that some factor fits, got {budget:.4g}")
