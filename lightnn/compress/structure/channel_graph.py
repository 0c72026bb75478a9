"""Which channels of a network depend on each other. One run shows it, before any of them is removed.

A convolution or fully connected layer makes new channels, its rows. Every other op passes channels on (batch norm,
ReLU, pooling, depthwise convolution), joins them (an addition makes channel c of both operands one: a residual block),
lists them (concatenation, flatten) or reads them (the next layer, by its columns). Each op declares which
(`lightnn.declare`). Each channel gets a number. Numbers that can only be removed together are joined in a union-find
forest (Tarjan 1975). Numbers that must stay are held, with the reason. The `uses` of a number are the arrays that lose
an index when its channel is removed.

A removed channel stands for a feature map of zeros, so an op may pass it on only if it gives 0 for 0: sigmoid does not.
A grouped convolution must lose the same number in each group; it loses the channel in the same place of each.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from lightnn import options
from lightnn.compress.structure.numbering import Numbering
from lightnn.exercise import exercise
from lightnn.nn import Module
from lightnn.nn.module import evaluating
from lightnn.tables import Tabular
from lightnn.tensor import Tensor, no_grad, watching


@dataclass(frozen=True)
class Use:
    """An array that has an index for each of some channels along one axis."""

    owner: str  # the module's path
    attribute: str  # its Parameter or buffer
    axis: int
    ids: np.ndarray  # the channel of each index
    makes: bool  # whether zeros there make the channel 0
    positions: int = 0  # for a layer's weight: how often each number is used in a run

    name = property(lambda self: f"{self.owner}.{self.attribute}".lstrip("."))


@exercise("03.6")
def root(parent, i):
    """The representative of i's set, an int. The list parent holds each set as a tree (a union-find forest): parent[i]
    is another element of the set, with a higher or a lower number, or i itself if i is the representative.

    The way from i up to it is shortened by path halving: i gets its grandparent as its parent, and the way goes on
    from the grandparent in the same manner. So every second element on the way gets a new parent. A way may be
    longer than Python's recursion allows.
    """
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@exercise("03.7")
def join(parent, a, b):
    """Merge the sets of a[k] and b[k] for every k. Changes the list parent (see `root`), and returns it.

        parent[max(root(a), root(b))] = min(root(a), root(b))

    The lower of the two representatives represents the merged set. a, b: lists or arrays of elements; ValueError if
    one is longer than the other. Graded are the sets and their representatives, not the ways that lead to them.
    """
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low
    return parent


class Channels(Tabular):
    """What `channels` found. layers: {path of a layer: the numbers of its rows}, in the order of the run. It prints as
    a table of the layers: what is cut together with each, or why it stays."""

    def __init__(self):
        self.parent, self.held, self.uses, self.layers = [], {}, [], {}
        self.features = {}  # layer: the number of the op whose output is its feature maps, as the next layer reads them

    def new(self, count: int) -> np.ndarray:
        """Numbers for `count` new channels."""
        first = len(self.parent)
        self.parent += range(first, first + count)
        return np.arange(first, first + count)

    def tie(self, a: Sequence[int], b: Sequence[int]) -> None:
        """Channels a[k] and b[k] can only be removed together."""
        join(self.parent, a, b)

    def hold(self, ids: Sequence[int], reason: str) -> None:
        """These channels can't be removed."""
        self.held |= {int(i): reason for i in ids if int(i) not in self.held}

    def use(self, owner, attribute, axis, ids, makes, positions=0):
        """Note that an array has an index for each of these channels. If it was noted before (the module runs twice),
        its channels of both times are tied."""
        for k, other in enumerate(self.uses):
            if (other.owner, other.attribute, other.axis) == (owner, attribute, axis):
                self.tie(other.ids, ids)
                self.uses[k] = replace(other, positions=other.positions + positions)
                return
        self.uses.append(Use(owner, attribute, axis, ids, makes, positions))

    def roots(self, ids: Sequence[int]) -> np.ndarray:
        """The representative of each channel: channels with the same one are removed together."""
        return np.array([root(self.parent, i) for i in ids], np.int64)

    def reason(self, layer: str, row: int) -> str | None:
        """Why this row of the layer can't be removed, or None."""
        wanted = root(self.parent, self.layers[layer][row])
        return next((why for i, why in self.held.items() if root(self.parent, i) == wanted), None)

    def table(self):
        rows, lead = [], {}
        for layer, ids in self.layers.items():
            roots = self.roots(ids)
            first = lead.setdefault(roots[0], layer)
            owners = dict.fromkeys(use.owner for use in self.uses if np.isin(self.roots(use.ids), roots).any())
            reasons = {self.reason(layer, row) for row in range(len(ids))} - {None}
            note = f"cut with {first}" if first != layer else "cuts " + ", ".join(o for o in owners if o != layer)
            note = "stays: " + "; ".join(sorted(reasons)) if reasons else note
            rows.append((layer, len(ids), len(set(roots)), note))
        return "", ("layer", "rows", "units", "what is cut with it, or why it stays"), rows

    def __str__(self):
        """The table within 80 columns: notes are wrapped."""
        _, _, rows = self.table()
        wide = max(map(len, self.layers), default=5)
        lines = [f"{'layer':<{wide}} rows units"]
        for layer, count, units, note in rows:
            head = f"{layer:<{wide}} {count:>4} {units:>5}  "
            lines.append(textwrap.fill(note, 80, initial_indent=head, subsequent_indent=" " * len(head)))
        return "\n".join(lines)

    def __repr__(self):
        return f"Channels({len(self.layers)} layers, {len(self.parent)} channels, {len(self.held)} held)"


def channels(model: Module, input_shape: Sequence[int]) -> Channels:
    """Run the model once, in eval mode, on zeros of input_shape (N, C, H, W), and return its Channels."""
    if not isinstance(model, Module):
        raise TypeError(f"channels: want a Module, got {type(model).__name__}")
    shape = options.shape("channels: input_shape", input_shape)
    dtype = next((p.dtype for p in model.parameters()), np.float32)
    watcher = Numbering(model, Channels())
    x = Tensor(np.zeros(shape, dtype))
    watcher.give(x.data, watcher.held(x.data, "it is the network's input"))
    with evaluating(model), no_grad(), watching(watcher):
        y = model(x)
    watcher.found.hold(watcher.ids(y.data), "it is the network's output")
    return watcher.found
