"""How long each step of a float program takes: the step alone, many times in one call, since calling takes time too."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.kernels.program.run import run
from lightnn.metrics import least_times
from lightnn.runtime.floats.network import FloatNetwork
from lightnn.runtime.floats.program import memory_for
from lightnn.tables import Tabular

LONGEST = 0.2  # milliseconds of a call: what is shorter is often done before the system gives the core to others
COPIES = 50  # of a step in one call, at most


@dataclass(frozen=True)
class StepTime:
    """Milliseconds of one step: the least of several calls. module: of its first layer; computes: its ops."""

    module: str
    computes: str
    ms: float


class StepTimes(Tabular, list):
    """StepTimes in the order of the program. Prints as a table."""

    ms = property(lambda self: sum(step.ms for step in self))

    def table(self):
        rows = [(step.module, step.computes, f"{step.ms:.4f}") for step in self]
        return "", ("module", "computes", "ms"), [*rows, ("total", "", f"{self.ms:.4f}")]


def step_times(network: FloatNetwork, input_shape: Sequence[int], *, repeats: int = 15) -> StepTimes:
    """The time of each step of a lowered network on images of input_shape (N, C, H, W).

    Every step works on what happens to be in memory: its time does not depend on the numbers. What is small stays in
    the caches, as it does in the whole network. ValueError for a network that is no program.
    """
    calls = step_calls(network, input_shape)
    least = least_times({k: call.run for k, call in enumerate(calls)}, repeats)
    return StepTimes(StepTime(c.module, c.computes, least[k].ms / c.copies) for k, c in enumerate(calls))


class StepCall(NamedTuple):
    """What runs one step so many times."""

    module: str
    computes: str
    copies: int
    run: Callable[[], None]


def step_calls(network: FloatNetwork, input_shape: Sequence[int]) -> list[StepCall]:
    """A StepCall for each step: to be timed in turn with other calls. See `step_times`."""
    shape = options.shape("step_times: input_shape", input_shape)
    if not isinstance(network, FloatNetwork):
        raise TypeError(f"step_times: want a FloatNetwork (`lower` of plain weights), got {type(network).__name__}")
    x = np.zeros(shape, np.float32)
    y, plan = network(x).data, network._plan
    if plan is None:
        raise ValueError(f"step_times: the network runs module by module: {network.why}")
    program = plan.program()
    work = memory_for(program), plan.weights, program.table, x.reshape(-1), y.reshape(-1)
    return [StepCall(*name, *_short(program, k, work)) for k, name in enumerate(program.names)]


def _short(program, k, work):
    """(how many times, the call that runs step k so many times), within LONGEST."""
    once = functools.partial(_repeat, program, k, 1, work)
    ms = max(1e-4, least_times({"once": once}, 5)["once"].ms)
    copies = int(min(COPIES, max(1, LONGEST / ms)))
    return copies, functools.partial(_repeat, program, k, copies, work)


def _repeat(program, k, copies, work):
    rows, bounds = (np.repeat(table[k : k + 1], copies, 0) for table in (program.rows, program.bounds))
    run(rows, bounds, *work)
