"""The rows of lightnn.search in the tables of test_public_options.py, which loads this file.

`k` is that module: its kinds of values, and `call`. The networks and data are as small as they can be, and journals
remember what was evaluated: a second call of a search reads it back.
"""

import functools
import pathlib
import tempfile

import numpy as np

from lightnn import compress, nn, search
from lightnn.journal import Journal
from lightnn.training import Recipe

FOLDER = tempfile.TemporaryDirectory()
SHAPE = (1, 1, 28, 28)
NET = nn.Sequential(nn.Conv2d(1, 3, 4, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 10))
PROXY, NONE = search.Proxy("mnist", 1, 1), Recipe(0, 0.1)
SPACE = search.Space({"a": (1, 2), "b": (3, 4)})
AMC = search.AMCPlan(1.0, 1, agent=search.AgentSettings(hidden=1), images=1)
NETADAPT, GOAL = search.NetAdaptPlan(NONE, NONE), search.Goal("sparse", 10**6, 1, NONE)
XS, YS = np.linspace(0, 1, 6).reshape(3, 2), np.array([0.1, 0.4, 0.2])
TRY = {
    "amc": search.try_policy,
    "random": search.try_policy,
    "netadapt": search.try_proposal,
    "pocketflow": search.try_compression,
    "blocks": search.try_architecture,
}
MADE = (search.AMCPlan, search.NetAdaptPlan, search.AgentSettings, search.Goal, search.Proxy, search.Evaluations,
        search.Pace, Journal, Recipe, search.Here)  # fmt: skip
MATERIAL = (
    "RandomSearch Strategy compressed cut interpolate pareto_front pipeline try_architecture try_compression "
    "try_policy try_proposal"  # tasks are made by searches; interpolate is called for each layer and width of a search
)
RECORDS = "Adapted Found LatencyTable Policy"
COMPILED = "Measured Pace kept_table measure_latencies table_error whole_ms"  # they measure: too slow as plain Python
THOROUGH = "Measured Pace finished kept_table measure_latencies table_error"


def journal(name):
    return Journal(pathlib.Path(FOLDER.name, name))


def tries(name):
    return search.Evaluations(TRY[name], journal(name), search.Here(), progress=False)


def parts(name):
    return {"proxy": PROXY, "evaluations": tries(name)}


def macs(blocks, widths):
    return blocks.macs(widths)


@functools.cache
def blocks():
    return search.Blocks(NET, SHAPE)


@functools.cache
def pace():
    return search.Pace()


@functools.cache
def table():
    return search.kept_table(journal("table"), NET, SHAPE, progress=False)


def a_cut():
    return compress.plan(NET, blocks().found, {"0": [0]}), np.zeros(SHAPE, np.float32)


def takes(k):
    """What an option takes, wherever in lightnn.search it stands."""
    return {
        k.COUNT: "at_once batch capacity count episodes first hidden images iteration long_images most population "
        "sample step training tries width",
        k.TIMES: "epochs warm_up",
        k.PROBABILITY: "accuracy decay least smoothing tau",
        k.FRACTION: "fraction ratio",
        k.real(0): "eps lr lr_actor lr_critic noise",
        k.real(0, but=(0,)): "budget latency length macs reference_ms size_bytes target this",
        k.real(): "a alpha beta best last now others slope",
        k.real(0, 100): "sigma",
        k.whole(0, 2): "t",
        k.whole(0, 2**63 - 1): "seed",
        k.whole(1, 2**63 - 1): "budget_bytes",
        k.whole(1, 8): "blocks",
        k.whole(1, 1024): "workers",
        k.whole(5): "repeats",
        k.several(lambda v: k.whole(1)(v) and v % 2 == 1, range(1, 9)): "kernels",
        k.several(k.COUNT, range(1, 9)): "depths input_shape",
        k.several(k.word(*search.LEARNERS), range(1, 9)): "names",
        k.word(*search.LEARNERS): "learners",
        k.flag: "bias progress teacher",
        k.seed: "rng",
        k.text: "name",
        callable: "cost evaluate reward strategy told",
        lambda v: isinstance(
            v, MADE
        ): "agent evaluations executor goal journal long pace plan proxy recipe settings short",
    }


def takes_elsewhere(k):
    """{"Goal count": ...} where an option of the same name takes something else."""
    return {
        "NetAdaptPlan decay": k.FRACTION,
        "action_wall budget": k.real(),
        "latency_reward accuracy": k.real(),
        **{f"resource_target {name}": k.real() for name in ("first", "ratio", "decay")},
        "sized_reward budget_bytes": k.real(0, but=(0,)),
        "widest target": k.real(),
    }


def calls(k):
    call = k.call
    return {
        **{name: lambda: call(SPACE) for name in ("AgentStrategy", "Evolution", "GaussianProcess", "PPO", "TPE")},
        "AMCPlan": call,
        "AgentSettings": call,
        "Blocks": lambda: call(NET, input_shape=SHAPE),
        "Evaluations": lambda: call(len, journal("amc")),
        "Goal": lambda: call(learners="sparse", budget_bytes=1000, count=1, recipe=NONE),
        "Measured": lambda: call(SPACE, NONE, **parts("blocks")),
        "NetAdaptPlan": lambda: call(short=NONE, long=NONE),
        "Pace": call,
        "Proxy": call,
        "Reinforce": lambda: call(SPACE),
        "Walk": lambda: call(NET, input_shape=SHAPE, plan=AMC),
        "action_wall": lambda: call(a=0.9, this=80, others=20, budget=60, least=0.2),
        "amc": lambda: call(NET, input_shape=SHAPE, plan=AMC, **parts("amc")),
        "block_space": call,
        "build": lambda: call(search.block_space(), (0,) * 6),
        "clipped_objective": lambda: call(YS, YS, YS),
        "compression_task": lambda: call(NET, input_shape=SHAPE, goal=GOAL, space=SPACE, candidate=(0, 0), proxy=PROXY),
        "constrained_reward": lambda: call(accuracy=0.9, macs=1e6),
        "expected_improvement": lambda: call(YS, YS, best=0.5),
        "finished": lambda: call(NET, recipe=NONE, proxy=PROXY, journal=journal("finished"), name="a test's"),
        "gp_posterior": lambda: call(XS, YS, XS),
        "guaranteed_reward": lambda: call(accuracy=0.9, macs=1e6),
        "kept_table": lambda: call(journal("table"), NET, input_shape=SHAPE, progress=False),
        "latency_reward": lambda: call(accuracy=0.8, latency=75, target=75),
        "layer_state": lambda: call(XS, YS, YS, t=1, last=0.5),
        "learners_space": lambda: call(NET, input_shape=SHAPE, names=("sparse",)),
        "least_squares": lambda: call(XS, XS),
        "measure_latencies": lambda: call(NET, input_shape=SHAPE, repeats=5, progress=False),
        "netadapt": lambda: call(NET, input_shape=SHAPE, cost=macs, budget=10**6, plan=NETADAPT, **parts("netadapt")),
        "pocketflow": lambda: call(
            NET, input_shape=SHAPE, goal=GOAL, strategy=search.RandomSearch, **parts("pocketflow")
        ),
        "policy_task": lambda: call(NET, blocks(), blocks().widths, PROXY, images=1),
        "pool": lambda: call(workers=1),
        "ramp": lambda: call(search.Walk(NET, SHAPE, AMC), slope=0.0),
        "random_policies": lambda: call(NET, input_shape=SHAPE, plan=AMC, **parts("random")),
        "resource_target": lambda: call(now=100, first=100, iteration=1),
        "search_space": lambda: call(
            SPACE, search.RandomSearch(SPACE), evaluate=lambda some: [1.0] * len(some), count=1
        ),
        "sized_reward": lambda: call(accuracy=0.9, size_bytes=100, budget_bytes=50),
        "table_error": lambda: call(table(), NET, [blocks().widths], input_shape=SHAPE),
        "thin_and_reconstruct": lambda: call(NET, *a_cut()),
        "tpe_split": lambda: call(YS),
        "uniform_widths": lambda: call(blocks(), cost=macs, budget=10**6),
        "whole_ms": lambda: call({"": NET}, input_shape=SHAPE, pace=pace(), repeats=5),
        "widest": lambda: call([8, 16], [1.0, 2.0], target=1.5),
    }
