"""Which tensors of a network integer inference must hold in few bits, and the module that gives each of them.

One run shows them. An op that only moves or selects numbers (max-pooling, flatten, a shift) passes the codes of its
input on. Any other op computes new numbers, for which codes must be chosen: a convolution, an addition, a concatenation
of tensors with unlike ranges, an average. A ReLU or ReLU6 that alone reads such a tensor is one step with it (Jacob et
al. 2018, arXiv 1712.05877, section 2.4): then its output is what is held.

A tensor is quantized by the module that returns it. That module must be called once in a run: if it were called twice,
two tensors would have to share a range.
"""

from typing import NamedTuple

from lightnn.compress.structure.wiring import INPUT, MOVES, Wiring
from lightnn.models import LAYERS
from lightnn.nn import Conv2d, Linear, Module, Sequential

HELD = MOVES | {"fake_quantize"}  # what these give has codes already
FUSED = frozenset({"relu", "relu6"})


class Sites(NamedTuple):
    """Paths of modules. readers: they read the network's input. givers: each returns a tensor to quantize, in the order
    of the run; the network's output is the last one's, if `output`. layers: they have weights."""

    readers: list[str]
    givers: list[str]
    layers: list[str]
    output: str | None


def find_sites(where: str, model: Module, run: Wiring) -> Sites:
    """The Sites of the model in this run. ValueError names a tensor that no module of its own returns."""
    modules, steps = dict(model.named_modules()), _held_steps(run)
    readers = [_reader(where, run, modules, i) for i in run.readers.get(INPUT, ())]
    givers = {i: _giver(where, run, modules, i) for i in steps}
    layers = [_layer(where, run, modules, step) for step in run.steps if step.op.is_layer]
    return Sites(list(dict.fromkeys(readers)), list(givers.values()), layers, givers.get(run.output))


def _held_steps(run):
    """The steps whose outputs must be held in few bits."""
    fused, held = set(), []
    for i, step in enumerate(run.steps):
        if i in fused or (step.op.name in HELD and not step.options.get("value")):
            continue
        after = run.readers.get(i, ())
        if len(after) == 1 and run.steps[after[0]].op.name in FUSED and i != run.output:
            fused.add(after[0])
            i = after[0]
        held.append(i)
    return sorted(held)


def _reader(where, run, modules, i):
    """The module that reads the network's input in step i."""
    path, op = run.steps[i].module, run.steps[i].op.name
    if not path or not _is_layer(modules.get(path)) or path not in run.taken.get(INPUT, ()):
        raise ValueError(f"{where}: {op} in {path or 'the network'} reads the network's input: want a module to do it")
    _check_calls(where, run, path)
    return path


def _giver(where, run, modules, i):
    """The module that returns the output of step i."""
    path, step = run.returned.get(i), run.steps[i]
    if not path or not _is_layer(modules.get(path)):
        place = step.module or "the network"
        raise ValueError(f"{where}: want a module of its own, such as nn.Identity, to return what {step.op.name} in "
                         f"{place} gives, got none")  # fmt: skip
    _check_calls(where, run, path)
    return path


def _layer(where, run, modules, step):
    """The layer whose weights this step multiplies by."""
    if type(modules.get(step.module)) not in (Conv2d, Linear):
        raise ValueError(f"{where}: want {step.op.name} in a layer with a weight of its own, got {step.module}")
    return step.module


def _check_calls(where, run, path):
    if run.calls[path] > 1:
        raise ValueError(
            f"{where}: want a module of its own for each call, got {path}, which is called {run.calls[path]} times"
        )


def _is_layer(module):
    """Whether it is a layer of lightnn.nn, which a file can hold in another's place."""
    return type(module) in LAYERS.values() and type(module) is not Sequential
