"""Which channels of a network hang together: read off one run, before any of them is removed.

A convolution or fully connected layer makes new channels, its rows. Every other op passes channels on (batch norm,
ReLU, pooling, depthwise convolution), joins them (an addition makes channel c of both operands one: a residual block),
lists them (concatenation, flatten) or reads them (the next layer, by its columns). Each channel gets a number; numbers
that can only be removed together are joined in a union-find forest (Tarjan 1975), and numbers that must stay are held,
with the reason. What removing a channel has to cut is the list of `uses` of its number.

A removed channel stands for a feature map of zeros, so an op may pass it on only if it gives 0 for 0: sigmoid does not.
A grouped convolution must lose the same number in each group; it loses the channel of the same place in each.
"""

import textwrap
from dataclasses import dataclass, replace

import numpy as np

from lightnn.compress.structure.numbering import Numbering
from lightnn.exercise import exercise
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tensor import Tensor, no_grad, watching


@dataclass(frozen=True)
class Use:
    """An array that has an index for each of some channels along one axis."""

    owner: str  # path of the module
    attribute: str  # its Parameter or buffer
    axis: int
    ids: np.ndarray  # the channel of each index
    makes: bool  # whether zeros there make the channel 0
    positions: int = 0  # for a layer's weight: how often each number is used in a run

    name = property(lambda self: f"{self.owner}.{self.attribute}".lstrip("."))


@exercise("03.6")
def root(parent, i):
    """The representative of i's set in a union-find forest: parent[i] is a member of the same set, itself if i is the
    representative. Every element on the way is hung closer to it (path halving)."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@exercise("03.7")
def join(parent, a, b):
    """Make one set of those of a[k] and b[k] for every k; the lower representative stays one. Changes the list parent,
    and returns it."""
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low
    return parent


class Channels:
    """What `channels` found. layers: {path of a layer: the numbers of its rows}, in the order of the run; printed, the
    layers, with what goes together, what uses it, and why some can't be removed."""

    def __init__(self):
        self.parent, self.held, self.uses, self.layers = [], {}, [], {}
        self.features = {}  # layer: the number of the op that gives its feature maps as the next layer reads them

    def new(self, count):
        first = len(self.parent)
        self.parent += range(first, first + count)
        return np.arange(first, first + count)

    def tie(self, a, b):
        """Channels a[k] and b[k] go together."""
        join(self.parent, a, b)

    def hold(self, ids, reason):
        self.held |= {int(i): reason for i in ids if int(i) not in self.held}

    def use(self, owner, attribute, axis, ids, makes, positions=0):
        """Note a use. A second one of the same array and axis (a module that runs twice) ties its channels to the
        first's."""
        for k, other in enumerate(self.uses):
            if (other.owner, other.attribute, other.axis) == (owner, attribute, axis):
                self.tie(other.ids, ids)
                self.uses[k] = replace(other, positions=other.positions + positions)
                return
        self.uses.append(Use(owner, attribute, axis, ids, makes, positions))

    def roots(self, ids):
        """The representative of each channel: equal ones go together."""
        return np.array([root(self.parent, i) for i in ids], np.int64)

    def reason(self, layer, row):
        """Why this row of the layer can't be removed, or None."""
        wanted = root(self.parent, self.layers[layer][row])
        return next((why for i, why in self.held.items() if root(self.parent, i) == wanted), None)

    def __str__(self):
        wide = max(map(len, self.layers), default=5)
        lines, lead = [f"{'layer':<{wide}} rows units"], {}
        for layer, ids in self.layers.items():
            roots = self.roots(ids)
            first = lead.setdefault(roots[0], layer)
            owners = dict.fromkeys(use.owner for use in self.uses if np.isin(self.roots(use.ids), roots).any())
            reasons = {self.reason(layer, row) for row in range(len(ids))} - {None}
            note = f"cut with {first}" if first != layer else "cuts " + ", ".join(o for o in owners if o != layer)
            note = "stays: " + "; ".join(sorted(reasons)) if reasons else note
            head = f"{layer:<{wide}} {len(ids):>4} {len(set(roots)):>5}  "
            lines.append(textwrap.fill(note, 80, initial_indent=head, subsequent_indent=" " * len(head)))
        return "\n".join(lines)


def channels(model, input_shape):
    """Run the model once, in eval mode, on zeros of input_shape (N, C, H, W), and return its Channels."""
    if not isinstance(model, Module):
        raise TypeError(f"channels: want a Module, got {type(model).__name__}")
    dtype = next((p.dtype for p in model.parameters()), np.float32)
    watcher = Numbering(model, Channels())
    x = Tensor(np.zeros(input_shape, dtype))
    watcher.give(x.data, watcher.held(x.data, "it is the network's input"))
    with evaluating(model), no_grad(), watching(watcher):
        y = model(x)
    watcher.found.hold(watcher.ids(y.data), "it is the network's output")
    return watcher.found
