"""How the ops of a network read each other's outputs, and which modules they run in: one run shows it.

Batch-norm folding and quantization find by it what follows what, instead of guessing it from names.
"""

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lightnn import options
from lightnn.declare import Declaration
from lightnn.nn import Module
from lightnn.nn.module import evaluating, running
from lightnn.tensor import Tensor, no_grad, watching

INPUT = -1  # stands for the network's input where a number stands for a step
MOVES = frozenset({"relu", "max_pool2d", "flatten", "reshape", "transpose", "getitem", "pad", "shift2d"})
MOVES |= {"channel_shuffle"}  # ops that only move or select numbers, so that codes of them pass on


@dataclass(frozen=True)
class Step:
    """One op of a run. inputs: the steps whose outputs it reads; weights and constants are not among them."""

    op: Declaration
    module: str | None  # path of the innermost module that runs it
    inputs: tuple[int, ...]
    options: dict
    y: np.ndarray


class Wiring:
    """What `wiring` found.

    steps: in the order of the run. readers: {step: the steps that read its output}. calls: {path: how often the module
    was called}. returned: {step: path of the first module that returned its output}. taken: {step: paths of the modules
    that got its output as an argument}. output: the step whose output is the network's.
    """

    def __init__(self, model: Module):
        self.steps, self.readers, self.calls, self.returned, self.taken, self.output = [], {}, Counter(), {}, {}, INPUT
        self._numbers = {}  # {id of an array: (the array, so that the id is not used again, its step)}
        self._paths = {id(m): path for path, m in model.named_modules()}

    def step_of(self, array) -> int | None:
        """The step that made this array; None for one that is not of this run."""
        array = array.data if isinstance(array, Tensor) else array
        return self._numbers.get(id(array), (None, None))[1]

    def start(self, x: np.ndarray) -> None:
        self._numbers[id(x)] = x, INPUT

    def __call__(self, op, arrays, given, y):
        """As a watcher of ops (`lightnn.tensor.watching`). An op that returns what it got, as dropout does, is none."""
        inputs = tuple(i for i in map(self.step_of, arrays) if i is not None)
        if not inputs or any(y is a for a in arrays):
            return
        number = len(self.steps)
        self.steps.append(Step(op, self._paths.get(id(running.get())), inputs, given, y))
        self._numbers[id(y)] = y, number
        for i in dict.fromkeys(inputs):
            self.readers.setdefault(i, []).append(number)

    def called(self, path, forward):
        """`forward` of the module at path, noted."""

        def noted(*args):
            self.calls[path] += 1
            for i in (self.step_of(a) for a in args if isinstance(a, Tensor)):
                self.taken.setdefault(i, []).append(path)
            y = forward(*args)
            step = self.step_of(y) if isinstance(y, Tensor) else None
            if step is not None:
                self.returned.setdefault(step, path)
            return y

        return noted


def wiring(where: str, model: Module, input_shape: Sequence[int]) -> Wiring:
    """Run a copy of the model once, in eval mode, on zeros of input_shape; its Wiring. where: who is asking."""
    if not isinstance(model, Module):
        raise TypeError(f"{where}: want a Module, got {type(model).__name__}")
    shape = options.shape(f"{where}: input_shape", input_shape)
    x = Tensor(np.zeros(shape, next((p.dtype for p in model.parameters()), np.float32)))
    twin = copy.deepcopy(model)
    found = Wiring(twin)
    for path, m in twin.named_modules():
        m.forward = found.called(path, m.forward)
    found.start(x.data)
    with evaluating(twin), no_grad(), watching(found), np.errstate(all="ignore"):  # the numbers do not matter
        found.output = found.step_of(twin(x))
    return found
