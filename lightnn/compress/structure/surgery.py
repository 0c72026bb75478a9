"""Surgery: take channels out of a network, which becomes a smaller dense network (Li et al. 2017, "Pruning Filters for
Efficient ConvNets", arXiv 1608.08710, section 3).

    found = channels(model, (1, 3, 32, 32))         what depends on what        print(found)
    cut = plan(model, found, {"conv1": [0, 7]})     what would be cut           print(cut)
    thinned = thin(model, cut)                      a new, smaller network

Row j of a layer is removed with its bias, its batch-norm entries, the depthwise filters that follow it and the columns
of every layer that reads it: h w columns a channel after a flatten. `mask_channels` gives the network that the thinned
one must equal: it keeps its size and has zeros in place of what is cut.
"""

import contextlib
import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from lightnn import options
from lightnn.compress.structure.channel_graph import Channels
from lightnn.compress.transforms.mask import Mask
from lightnn.models import describe
from lightnn.nn import Module, Parameter
from lightnn.tables import Tabular


@dataclass
class Cut:
    """One array and what is left of it. positions: how often a run uses each of its numbers (for a layer's weight)."""

    shape: tuple
    trained: bool
    keep: dict = field(default_factory=dict)  # axis: the indices that stay, for each axis that loses some
    zero: bool = False  # whether the masked network has zeros where axis 0 is cut
    positions: int = 0

    @property
    def after(self):
        return tuple(len(self.keep[axis]) if axis in self.keep else n for axis, n in enumerate(self.shape))


class Plan(Tabular, dict):
    """{name of an array: Cut} of all parameters and of the buffers that are cut. It prints as a table of the arrays
    that change, and of parameters and MACs before and after."""

    def changed(self) -> dict[str, Cut]:
        """The arrays that are cut."""
        return {name: cut for name, cut in self.items() if cut.keep}

    @property
    def parameters(self) -> tuple[int, int]:
        """Trained numbers: (before, after)."""
        return self._count(lambda cut: cut.trained)

    @property
    def macs(self) -> tuple[int, int]:
        """Multiply-accumulates of a run on the shape that was traced: (before, after)."""
        return self._count(lambda cut: cut.positions)

    def _count(self, times):
        cuts = self.values()
        return sum(math.prod(c.shape) * times(c) for c in cuts), sum(math.prod(c.after) * times(c) for c in cuts)

    def table(self):
        arrays = [
            (name, *(" x ".join(map(str, s)) for s in (c.shape, c.after)), "") for name, c in self.changed().items()
        ]
        totals = (("parameters", *self.parameters), ("MACs", *self.macs))
        rows = arrays + [(name, f"{a:,}", f"{b:,}", f"({b / a - 1:+.1%})") for name, a, b in totals]
        return "", ("array", "before", "after", "change"), rows

    def __str__(self):
        _, _, rows = self.table()
        wide = [max(len(row[i]) for row in rows) for i in (0, 1)]
        lines = (f"{name:<{wide[0]}}  {a:>{wide[1]}} -> {b}  {change}".rstrip() for name, a, b, change in rows)
        return "\n".join(lines)

    def __repr__(self):
        counts = (f"{what} {a:,} -> {b:,}" for what, (a, b) in (("parameters", self.parameters), ("MACs", self.macs)))
        return f"Plan({len(self.changed())} arrays cut, {', '.join(counts)})"


def plan(model: Module, found: Channels, remove: dict[str, Sequence[int]]) -> Plan:
    """The Plan that removes rows of layers, {path: indices}, and all that depends on them. found: the model's Channels.

    ValueError says why a channel can't be removed: it is held, nothing would be left, there is no such row, or two
    layers use one weight.
    """
    removed = found.roots(_wanted(found, remove))
    cuts, modules = Plan({n: Cut(p.shape, True) for n, p in model.named_parameters()}), dict(model.named_modules())
    for use in found.uses:
        gone = np.isin(found.roots(use.ids), removed)
        if gone.all():
            raise ValueError(
                f"plan: nothing would be left of {use.name}: all its {gone.size} channels would be removed"
            )
        if use.name not in cuts:
            array = _buffer(modules, use.name, len(use.ids))
            if isinstance(array, Parameter):
                raise ValueError(f"plan: {use.name} is another layer's too, so it can't be cut")
            cuts[use.name] = Cut(array.shape, False)
        cut = cuts[use.name]
        cut.positions += use.positions
        if gone.any():
            cut.keep[use.axis], cut.zero = np.flatnonzero(~gone), cut.zero or use.makes
    return cuts


def _wanted(found, remove):
    """The numbers of the channels to remove, after checking each."""
    wanted = []
    for layer, rows in options.named("plan: remove", remove).items():
        options.one_of("plan: remove: layer", layer, list(found.layers))
        ids = found.layers[layer]
        want = f"rows of {layer} from 0 to {len(ids) - 1}"
        rows = np.array(options.ints("plan: remove", rows, want), np.int64)
        if rows.size and rows.max() >= len(ids):
            raise options.wrong("plan: remove", want, rows.tolist())
        for row in rows:
            if reason := found.reason(layer, row):
                raise ValueError(f"plan: row {row} of {layer} can't be removed: {reason}")
        wanted += list(ids[rows])
    return wanted


def _owner(modules, name):
    """(module, attribute) of a dotted name, from {path: module}."""
    path, _, attribute = name.rpartition(".")
    return modules[path], attribute


def _buffer(modules, name, channels):
    """The buffer of this name; the offsets that a Shift2d computes from the number of channels, as an array."""
    owner, attribute = _owner(modules, name)
    return owner.offsets_of(channels) if attribute == "offsets" else getattr(owner, attribute)


def thin(model: Module, cuts: Plan) -> Module:
    """A new network without the channels that the Plan removes. The model is left as it is."""
    twin = _twin(model, cuts)
    modules = dict(twin.named_modules())
    for name, cut in cuts.changed().items():
        owner, attribute = _owner(modules, name)
        for axis, keep in cut.keep.items():
            if cut.trained:
                _take(getattr(owner, attribute), keep, axis)
            else:
                setattr(owner, attribute, np.take(_buffer(modules, name, cut.shape[axis]), keep, axis))
    for module in modules.values():
        module.fit_sizes()
    with contextlib.suppress(TypeError):  # a network without a description can be thinned, but not saved
        base, shapes = describe(model), {name: list(cut.after) for name, cut in cuts.changed().items()}
        twin.architecture = {**base, "shapes": {**base.get("shapes", {}), **shapes}}
    return twin


def _take(p, keep, axis):
    """Leave only the indices `keep` along axis of a Parameter and of its transforms."""
    values = p.values and p.values.settled(p)  # what is left must not change, so what was measured stays as it was
    p.data, p.grad = np.take(p.data, keep, axis), None
    p.values = values and values.take(keep, axis)
    p.support = p.support and p.support.take(keep, axis)


def mask_channels(model: Module, cuts: Plan) -> Module:
    """A new network of the model's size in which the channels that the Plan removes are 0. Their rows, biases and
    batch-norm entries are masked, so they stay 0 in training."""
    twin = _twin(model, cuts)
    modules = dict(twin.named_modules())
    for name, cut in cuts.changed().items():
        if cut.zero:
            owner, attribute = _owner(modules, name)
            p = getattr(owner, attribute)
            mask = np.ones(p.shape, bool) if p.support is None else p.support.mask.copy()
            mask[np.setdiff1d(np.arange(len(mask)), cut.keep[0])] = False
            p.support = Mask(mask)
            p.data = np.array(p.support(p.detach()).data)
    return twin


def _twin(model, cuts):
    """A copy of the model, after checking that the Plan is for it."""
    want = {name: cut.shape for name, cut in cuts.items() if cut.trained}
    have = {name: p.shape for name, p in model.named_parameters()}
    if want != have:
        name = next(n for n in [*want, *have] if want.get(n) != have.get(n))
        raise ValueError(f"the plan is for another network: want {name} {want.get(name)}, got {have.get(name)}")
    return copy.deepcopy(model)
