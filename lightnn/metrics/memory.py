"""What a training step holds, counted: every array that the tape keeps for the backward pass, and the rest.

After the forward pass and before the backward pass, the arrays that some vjp still refers to are the saved activations.
They are found by walking the tape, and an array that several vjps share, or see through a view, counts once.
"""

import functools
import gc
import tracemalloc
import types
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lightnn import nn, optim
from lightnn.tensor import Tensor

HOLDERS = (dict, list, tuple, functools.partial, types.FunctionType, types.MethodType)


class TrainingMemory(NamedTuple):
    """Bytes: the latent parameters, their gradients, what the optimizer keeps, and what the tape keeps besides."""

    parameters: int
    gradients: int
    optimizer: int
    saved: int

    total = property(lambda self: sum(self))


def training_memory(model: nn.Module, optimizer: optim.Optimizer, loss: Callable[[], Tensor]) -> TrainingMemory:
    """Make one training step, and count what it holds. loss() runs the model and gives a Tensor of one number."""
    parameters = {id(owner_of(p.data)): p.data for p in model.parameters()}
    value = loss()
    saved = {id(a): a.nbytes for a in map(owner_of, kept_by_tape(value)) if id(a) not in parameters}
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    state = {id(owner_of(a)): a.nbytes for a in _arrays(vars(optimizer), set())}
    rest = sum(size for key, size in state.items() if key not in parameters)
    return TrainingMemory(sum(a.nbytes for a in parameters.values()), gradients, rest, sum(saved.values()))


def measured_peak(model: nn.Module, optimizer: optim.Optimizer, loss: Callable[[], Tensor]) -> int:
    """The most bytes that one training step really needed, as Python's tracemalloc saw it, beside the parameters.

    The step is the first one: gradients and the optimizer's state are made in it, the state when the tape is gone, so
    the smaller of the two need not count. Above what `training_memory` counts are the gradients of activations and what
    kernels allocate for a while; what compiled code allocates itself is not seen.
    """
    for p in model.parameters():
        p.grad = None
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        value = loss()
        value.backward()
        optimizer.step()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return peak + sum(p.data.nbytes for p in model.parameters())


def kept_by_tape(value: Tensor) -> Iterator[np.ndarray]:
    """The arrays that the vjps behind the Tensor refer to, some of them several times."""
    seen, waiting = set(), [value]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        for parent, vjp in node._inputs or ():
            yield from _arrays(vjp, seen)
            waiting.append(parent)


def _arrays(thing, seen):
    """The arrays within a function, a container or a Tensor."""
    if isinstance(thing, np.ndarray):
        yield thing
    elif isinstance(thing, Tensor):
        if not isinstance(thing, nn.Parameter):
            yield thing.data
    elif isinstance(thing, HOLDERS) and id(thing) not in seen:
        seen.add(id(thing))
        for part in _parts(thing):
            yield from _arrays(part, seen)


def _parts(thing):
    if isinstance(thing, dict):
        return list(thing.values())
    if isinstance(thing, list | tuple):
        return list(thing)
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, types.MethodType):
        return [thing.__func__, thing.__self__]
    return [*(cell.cell_contents for cell in thing.__closure__ or ()), *(thing.__defaults__ or ())]


def owner_of(a: np.ndarray) -> np.ndarray:
    """The array whose memory this one shows."""
    while isinstance(a.base, np.ndarray):
        a = a.base
    return a
