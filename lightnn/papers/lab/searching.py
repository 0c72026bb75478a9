"""`python -m lightnn search METHOD MODEL --target WHAT=TIMESx`: a network, searched smaller, trained, in a file.

    latency=0.5x    half of the milliseconds on this machine, by a table (netadapt) or measured whole (mnasnet)
    macs=0.5x       half of the multiply-accumulates (netadapt, amc)
    bytes=20x       a file that is twenty times smaller (pocketflow)

The network is trained on MNIST first. The search sees training and validation images; the result is tested once, beside
the network before.
"""

import dataclasses
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass

from lightnn import data, io, metrics, models, nn, optim, search
from lightnn.journal import Journal, draws
from lightnn.papers.lab.run import Run, run_to_file
from lightnn.tables import text_table
from lightnn.training import Recipe, evaluate

LARGEST = functools.partial(models.searched, (0, 0), (5, 5), (2, 2))  # of the networks that MnasNet's space has
MODELS = {
    "lenet_300_100": models.lenet_300_100,
    "lenet5": models.lenet5,
    "searched": models.searched,
    "blocks": LARGEST,
}
SHAPE, BATCH = (1, 1, 28, 28), 16
LEARNERS = "sparse+shared"


@dataclass(frozen=True)
class Effort:
    """How long everything takes. short: images of the trainings within a search."""

    images: int = 20_000
    epochs: int = 5
    short: int = 2_000
    validation: int = 2_000
    episodes: int = 100
    count: int = 40

    def recipe(self, epochs: int) -> Recipe:
        return Recipe(epochs, 0.002, optim.Adam, 50, optim.CosineLR)


FULL, QUICK = Effort(), Effort(2_000, 1, 300, 500, 12, 10)


@dataclass(frozen=True)
class Target:
    """What is to become smaller, and how far: `times` is the fraction that stays, or for bytes the factor."""

    what: str
    times: float

    def __str__(self) -> str:
        return f"{self.what}={self.times:g}x"


def parse_target(text: str) -> Target:
    """ValueError unless it is latency=Nx or macs=Nx with 0 < N < 1, or bytes=Nx with N > 1."""
    found = re.fullmatch(r"(latency|macs|bytes)=(\d{1,6}(?:\.\d{1,6})?)x", text)
    target = Target(found[1], float(found[2])) if found else None
    if target is None or not (target.times > 1 if target.what == "bytes" else 0 < target.times < 1):
        raise ValueError(f"--target: want latency=0.5x or macs=0.5x (below 1), or bytes=20x (above 1), got {text!r}")
    return target


def search_to_file(
    method: str,
    model: str,
    target: str,
    output: str,
    command: str,
    *,
    seed: int = 0,
    quick: bool = False,
    path: str | None = None,
    fresh: bool = False,
) -> dict:
    """Search, train, write the network to `output`, print what came of it, and write the numbers to path, if any."""
    goal = parse_target(target)
    whats, _ = METHODS[method]
    if method == "mnasnet" and model != "blocks":
        raise ValueError(f"mnasnet: want MODEL blocks, the largest network of its space, got {model}")
    if goal.what not in whats:
        raise ValueError(f"{method}: want --target {' or '.join(whats)}, got {goal}")
    effort = QUICK if quick else FULL
    run = Run(f"search {method} {model}", command, seed, (goal, effort), fresh)
    work = functools.partial(_work, method, model, goal, effort, seed, output)
    return run_to_file(run, work, format_result, output, path)


def _work(method, name, goal, effort, seed, output, journal):
    proxy = search.Proxy("mnist", effort.images, effort.validation, seed)
    before, _ = journal.network("train", functools.partial(_train, name, effort, proxy))
    after = METHODS[method][1](before, goal, effort, proxy, journal)
    io.save(after, output)
    numbers = {"before": _numbers(before), "after": _numbers(after)}
    times = search.whole_ms({"before": before, "after": after}, (BATCH, *SHAPE[1:]), search.Pace())
    for key, ms in times.items():
        numbers[key]["ms"] = round(ms, 4)
    return {"method": method, "model": name, "target": str(goal), "output": str(output), **numbers}


def _train(name, effort, proxy):
    model = MODELS[name](rng=draws(proxy.seed, "initial weights"))
    return model, {"accuracy": proxy.train(model, effort.recipe(effort.epochs), "train")}


def _numbers(model: nn.Module) -> dict:
    d = data.load_mnist()
    accuracy = round(100 * evaluate(model, d.x_test, d.y_test, progress=False), 2)
    counted = metrics.count_macs(model, SHAPE), metrics.count_parameters(model)
    return {"bytes": len(io.to_bytes(model)), "macs": counted[0], "parameters": counted[1], "test %": accuracy}


def netadapt(model: nn.Module, goal: Target, effort: Effort, proxy: search.Proxy, journal: Journal) -> nn.Module:
    """Narrowed until the latency of the table, or the MACs, are within the target."""
    shape = (BATCH if goal.what == "latency" else 1, *SHAPE[1:])
    cost: Callable = search.Blocks.macs
    if goal.what == "latency":
        cost = search.kept_table(journal, model, shape).predict
    blocks = search.Blocks(model, shape)
    step = 8 if min(blocks.widths.values()) >= 16 else 2
    plan = search.NetAdaptPlan(
        effort.recipe(1), effort.recipe(effort.epochs), ratio=0.1, step=step, long_images=effort.images
    )
    short = dataclasses.replace(proxy, training=effort.short)
    with search.Evaluations(search.try_proposal, journal.part("netadapt")) as evaluations:
        budget = goal.times * cost(blocks, blocks.widths)
        adapted = search.netadapt(model, shape, cost, budget, plan, short, evaluations)
    print(adapted)
    return adapted.model


def amc(model: nn.Module, goal: Target, effort: Effort, proxy: search.Proxy, journal: Journal) -> nn.Module:
    """Cut by the agent's best policy, fitted, and trained on."""
    plan = search.AMCPlan(goal.times, effort.episodes, least=0.1, step=2)
    with search.Evaluations(search.try_policy, journal.part("amc")) as evaluations:
        policy = search.amc(model, SHAPE, plan, proxy, evaluations)
    print(policy)
    thin = search.cut(search.policy_task(model, policy.blocks, policy.best.widths, proxy, plan.images))
    return search.finished(thin, effort.recipe(effort.epochs), proxy, journal, "long training")[0]


def pocketflow(model: nn.Module, goal: Target, effort: Effort, proxy: search.Proxy, journal: Journal) -> nn.Module:
    """Pruned and shared with the settings that TPE finds, and trained on after each."""
    wanted = search.Goal(LEARNERS, int(len(io.to_bytes(model)) / goal.times), effort.count, effort.recipe(1))
    short = dataclasses.replace(proxy, training=effort.short)
    with search.Evaluations(search.try_compression, journal.part("pocketflow")) as evaluations:
        found = search.pocketflow(model, SHAPE, wanted, search.TPE, short, evaluations)
    print(found)
    long = dataclasses.replace(wanted, recipe=effort.recipe(effort.epochs))
    task = search.compression_task(model, SHAPE, long, found.space, found.best, proxy)
    return journal.network("long training", lambda: (search.compressed(task), {}))[0]


def mnasnet(model: nn.Module, goal: Target, effort: Effort, proxy: search.Proxy, journal: Journal) -> nn.Module:
    """Other blocks than the largest ones, by PPO with the hard reward: of what it tried within the target, the most
    accurate; trained anew. ValueError if nothing that it tried is within the target."""
    space, own = search.block_space(), journal.part("mnasnet")
    short = dataclasses.replace(proxy, training=effort.short)
    with search.Evaluations(search.try_architecture, own) as evaluations:
        measured = search.Measured(space, effort.recipe(1), short, evaluations, batch=BATCH)
        before = own.step("before", lambda: {"ms": search.whole_ms({"": model}, measured.shape, measured.pace)[""]})
        most = goal.times * before["ms"]
        rewards = measured.rewards(functools.partial(search.latency_reward, target=most, alpha=0.0, beta=-1.0))
        found = search.search_space(space, search.PPO(space), rewards, effort.count, seed=proxy.seed)
        tried = dict(zip(found.candidates, measured(found.candidates)))
    print(found)
    fit = [c for c, numbers in tried.items() if numbers["ms"] <= most]
    if not fit:
        raise ValueError(f"mnasnet: none of {len(tried)} networks takes at most {most:.4f} ms; want a larger target")
    best = max(fit, key=lambda c: tried[c]["accuracy"])
    print(f"chosen: {space.name_of(best)}")
    made = search.build(space, best, rng=draws(proxy.seed, "weights of the chosen network"))
    return search.finished(made, effort.recipe(effort.epochs), proxy, journal, "long training")[0]


METHODS = {  # name: (what it can make smaller, what does it)
    "netadapt": (("latency", "macs"), netadapt),
    "mnasnet": (("latency",), mnasnet),
    "amc": (("macs",), amc),
    "pocketflow": (("bytes",), pocketflow),
}


def format_result(result: dict) -> str:
    """Before and after, and whether the target is met."""
    keys = ("bytes", "macs", "parameters", "ms", "test %")
    rows = [[key, result["before"][key], result["after"][key]] for key in keys]
    times = {"bytes": result["before"]["bytes"] / result["after"]["bytes"]}
    times |= {what: result["after"][key] / result["before"][key] for what, key in (("macs", "macs"), ("latency", "ms"))}
    what = result["target"].partition("=")[0]
    table = text_table(f"{result['method']} {result['model']}, ms of {BATCH} images", ["", "before", "after"], rows)
    return f"{table}\n\ntarget {result['target']}: {times[what]:.2f}x\n{result['output']} has the network"
