"""What a training step holds, counted: every array that the tape keeps for the backward pass, and the rest.

After the forward pass and before the backward pass, the arrays that some vjp still refers to are the saved activations.
They are found by walking the tape, and an array that several vjps share, or see through a view, counts once.
"""

import functools
import types
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lightnn import nn, optim
from lightnn.tensor import Tensor

HOLDERS = (dict, list, tuple, functools.partial, types.FunctionType, types.MethodType)


class Held(NamedTuple):
    """Bytes: the latent parameters, their gradients, what the optimizer keeps, and what the tape keeps besides."""

    parameters: int
    gradients: int
    optimizer: int
    saved: int

    total = property(lambda self: sum(self))


def training_bytes(model: nn.Module, optimizer: optim.Optimizer, loss: Callable[[], Tensor]) -> Held:
    """Make one training step, and count what it holds. loss() runs the model and gives a Tensor of one number."""
    parameters = {id(_owner(p.data)): p.data for p in model.parameters()}
    value = loss()
    saved = {id(a): a.nbytes for a in map(_owner, kept_by_tape(value)) if id(a) not in parameters}
    optimizer.zero_grad()
    value.backward()
    optimizer.step()
    gradients = sum(p.grad.nbytes for p in model.parameters() if p.grad is not None)
    state = {id(_owner(a)): a.nbytes for a in _arrays(vars(optimizer), set())}
    rest = sum(size for key, size in state.items() if key not in parameters)
    return Held(sum(a.nbytes for a in parameters.values()), gradients, rest, sum(saved.values()))


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


def _owner(a):
    """The array whose memory this one shows."""
    while isinstance(a.base, np.ndarray):
        a = a.base
    return a
