"""One run of a network, recorded: its ops in order, with all arrays that each reads, weights among them."""

from typing import NamedTuple

import numpy as np

from lightnn.declare import Declaration
from lightnn.nn import Module
from lightnn.nn.module import running
from lightnn.tensor import Tensor, no_grad, watching


class Call(NamedTuple):
    """op: its name. inputs: for each argument the number of the call that made it (-1: the network's input), or the
    array or number itself. module: path of the innermost module that made the call."""

    op: str
    inputs: tuple
    options: dict
    shape: tuple[int, ...]
    module: str


class Made(int):
    """The number of a call whose result an argument is; no number that a network computes with is one."""


INPUT = Made(-1)


class Recording:
    """calls; output: the number of the call whose result is the network's, or None; reads: {number: how often it is
    read}, the network's output counted."""

    def __init__(self, model: Module, x: np.ndarray):
        self.calls, self.reads, self.output = [], {}, None
        self._made = {id(x): (x, INPUT)}  # the arrays are kept, so that no id is used again
        self._paths = {id(m): path for path, m in model.named_modules()}
        with no_grad(), watching(self), np.errstate(all="ignore"):
            y = model(Tensor(x))
        if isinstance(y, Tensor):
            self.output = self._number(y.data)
            self.reads[self.output] = self.reads.get(self.output, 0) + 1

    def __call__(self, op: Declaration, arrays, options, y):
        if any(y is a for a in arrays):
            return
        inputs = tuple(self._number(a, a) for a in arrays)
        for i in inputs:
            if isinstance(i, Made):
                self.reads[i] = self.reads.get(i, 0) + 1
        number = Made(len(self.calls))
        path = self._paths.get(id(running.get())) or ""
        self.calls.append(Call(op.name, inputs, options, y.shape, path))
        self._made[id(y)] = y, number

    def _number(self, array, other=None):
        return self._made.get(id(array), (None, other))[1]
