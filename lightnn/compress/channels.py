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

from lightnn.nn import Module, Shift2d
from lightnn.nn.module import running
from lightnn.tensor import Tensor, no_grad, watching

POOLS = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d")
PASS = (*POOLS, "relu", "relu6", "hardswish", "tanh", "dropout", "neg", "absolute", "sqrt")  # 0 stays 0
CONVOLUTIONS = ("conv2d", "depthwise_conv2d", "grouped_conv2d")


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


def root(parent, i):
    """The representative of i's set in a union-find forest: parent[i] is a member of the same set, itself if i is the
    representative. Every element on the way is hung closer to it (path halving)."""
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


def join(parent, a, b):
    """Make one set of those of a[k] and b[k] for every k; the lower representative stays one."""
    for i, k in zip(a, b, strict=True):
        low, high = sorted((root(parent, i), root(parent, k)))
        parent[high] = low


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

    def hold(self, ids, reason):
        self.held |= {int(i): reason for i in ids if int(i) not in self.held}

    def use(self, owner, attribute, axis, ids, makes, positions=0):
        """Note a use. A second one of the same array and axis (a module that runs twice) ties its channels to the
        first's."""
        for k, other in enumerate(self.uses):
            if (other.owner, other.attribute, other.axis) == (owner, attribute, axis):
                join(self.parent, other.ids, ids)
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
    watcher, modes = _Watcher(model), [(m, m.training) for m in model.modules()]
    x = Tensor(np.zeros(input_shape, dtype))
    watcher.give(x.data, watcher.held(x.shape[1], "it is the network's input"))
    model.eval()
    try:
        with no_grad(), watching(watcher):
            y = model(x)
    finally:
        for m, mode in modes:
            m.training = mode
    watcher.found.hold(watcher.of(y.data), "it is the network's output")
    return watcher.found


class _Watcher:
    """Told of each op, gives the channels of its output their numbers."""

    def __init__(self, model):
        self.found, self.alive, self.count = Channels(), {}, -1
        self.paths = {id(m): name for name, m in model.named_modules()}

    def give(self, array, ids):
        self.alive[id(array)] = (array, ids)  # the array is kept, so that its id is not used again

    def of(self, array):
        """The numbers of an array's channels; new ones, held, where they are not known."""
        if id(array) not in self.alive:
            self.give(array, self.held(array.shape[1] if np.ndim(array) > 1 else 0, "where it comes from is not known"))
        return self.alive[id(array)][1]

    def held(self, count, reason):
        ids = self.found.new(count)
        self.found.hold(ids, reason)
        return ids

    def __call__(self, op, arrays, options, y):
        self.count += 1
        known = [a for a in arrays if id(a) in self.alive]
        if not known:
            return  # an op on weights only
        rule = getattr(self, f"_{op.lstrip('_')}", None)
        if op in CONVOLUTIONS:
            ids = self._convolution(*arrays[:3], y)
        elif op in PASS:
            ids = self.of(arrays[0])
        else:
            ids = rule(arrays, options, y) if rule else None
        if ids is None:
            reason = f"{op.lstrip('_')} in {self.paths.get(id(running.get())) or 'the network'} needs all channels"
            for a in known:
                self.found.hold(self.of(a), reason)
            ids = self.held(y.shape[1] if y.ndim > 1 else 0, reason)
        self.give(y, ids)
        for layer, rows in self.found.layers.items():
            if rows is ids and op not in POOLS:
                self.found.features[layer] = self.count

    def _layer(self, w, b):
        """The path of the layer that runs, or None if w and b are not its own."""
        module = running.get()
        own = getattr(module, "weight", None), getattr(module, "bias", None)
        shapes = own[0] is not None and own[0].shape == w.shape and (b is None) == (own[1] is None)
        return self.paths.get(id(module)) if shapes else None

    def _convolution(self, x, w, b, y):
        path, ids, found = self._layer(w, b), self.of(x), self.found
        if path is None:
            return found.hold(ids, "a layer reads it with weights that are not its module's own")
        groups, positions = x.shape[1] // w.shape[1], y.size // y.shape[1]
        if groups > 1 == w.shape[1]:  # depthwise: it passes channels on
            rows = np.repeat(ids, len(w) // len(ids))
        else:
            rows = found.layers[path] if path in found.layers else found.new(len(w))
            found.layers[path] = rows
            for split in (ids.reshape(groups, -1), rows.reshape(groups, -1)):
                for other in split[1:]:  # every group loses the same
                    join(found.parent, split[0], other)
            found.use(path, "weight", 1, ids[: w.shape[1]], False)
        found.use(path, "weight", 0, rows, True, positions)
        if b is not None:
            found.use(path, "bias", 0, rows, True)
        return rows

    def _linear(self, arrays, options, y):
        x, w, b = arrays
        return self._convolution(x, w, b, y) if x.ndim == 2 else None

    def _batch_norm(self, arrays, options, y):
        path, ids = self._layer(*arrays[1:]), self.of(arrays[0])
        if path is None:
            return None
        for attribute in ("weight", "bias", "running_mean", "running_var"):
            self.found.use(path, attribute, 0, ids, attribute in ("weight", "bias"))
        return ids

    def _hardtanh(self, arrays, options, y):
        return self.of(arrays[0]) if options["min_val"] <= 0 <= options["max_val"] else None

    def _add(self, arrays, options, y):
        if not all(id(a) in self.alive for a in arrays) or arrays[0].ndim != arrays[1].ndim:
            return None
        a, b = map(self.of, arrays)
        if len(a) != len(b):
            return None
        join(self.found.parent, a, b)
        return a

    _sub = _add

    def _mul(self, arrays, options, y):
        """0 times anything is 0; a product of two feature maps ties them."""
        a, b = arrays
        number = next((n for n in (a, b) if np.size(n) == 1 and id(n) not in self.alive), None)
        return self._add(arrays, options, y) if number is None else self.of(b if number is a else a)

    def _div(self, arrays, options, y):
        return self.of(arrays[0]) if np.size(arrays[1]) == 1 and id(arrays[0]) in self.alive else None

    def _concat(self, arrays, options, y):
        if options["dim"] % y.ndim != 1:
            return None
        return np.concatenate([self.of(a) for a in arrays])

    def _flatten(self, arrays, options, y):
        """Each channel becomes as many columns as it has pixels."""
        (x,) = arrays
        if y.shape[:2] == x.shape[:2]:
            return self.of(x)
        return np.repeat(self.of(x), x[0, 0].size) if y.ndim == 2 and len(y) == len(x) else None

    _reshape = _flatten

    def _sum(self, arrays, options, y):
        axes = np.arange(arrays[0].ndim) if options["axis"] is None else np.atleast_1d(options["axis"])
        return self.of(arrays[0]) if min(axes % arrays[0].ndim) > 1 else None

    def _pad(self, arrays, options, y):
        beyond = any(options["padding"][2 * (arrays[0].ndim - 2) :])
        return None if beyond or options.get("value", 0.0) else self.of(arrays[0])

    def _getitem(self, arrays, options, y):
        index = options["index"] if isinstance(options["index"], tuple) else (options["index"],)
        whole = len(index) > 1 and index[0] == index[1] == slice(None)
        whole = whole and all(isinstance(i, slice) for i in index)
        return self.of(arrays[0]) if whole else None

    def _channel_shuffle(self, arrays, options, y):
        """Channel k of every group goes with channel k of the others, else the interleaving would be another."""
        split = self.of(arrays[0]).reshape(options["groups"], -1)
        for other in split[1:]:
            join(self.found.parent, split[0], other)
        return split.T.reshape(-1)

    def _shift2d(self, arrays, options, y):
        module, ids = running.get(), self.of(arrays[0])
        if not isinstance(module, Shift2d):
            return None
        self.found.use(self.paths[id(module)], "offsets", 1, ids, False)
        return ids
