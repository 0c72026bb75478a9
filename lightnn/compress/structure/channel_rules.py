"""What each op does to the channels of its input: one rule an op, called as a network runs (see `channels`).

A rule returns the numbers of the output's channels, or None: the op then needs all of its input's channels, which are
held, and the output's are new ones, held too.
"""

import math

import numpy as np

from lightnn.exercise import exercise
from lightnn.functional.conv import CONVOLUTIONS
from lightnn.nn import Shift2d
from lightnn.nn.module import running

POOLS = ("max_pool2d", "avg_pool2d", "adaptive_avg_pool2d")
PASS = (*POOLS, "relu", "relu6", "hardswish", "tanh", "dropout", "neg", "absolute", "sqrt")  # 0 stays 0


@exercise("03.3")
def columns(channels, size):
    """The channel of each column of a flattened feature map x (N, C, *size), as (N, C * pixels): pixels run fastest.
    channels (C,): what the channels are called."""
    return np.repeat(channels, math.prod(size))


class Watcher:
    """Told of each op, gives the channels of its output their numbers."""

    def __init__(self, model, found):
        self.found, self.alive, self.count = found, {}, -1
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
                    found.tie(split[0], other)
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
        self.found.tie(a, b)
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
        return columns(self.of(x), x.shape[2:]) if y.ndim == 2 and len(y) == len(x) else None

    _reshape = _flatten

    def _sum(self, arrays, options, y):
        axes = np.arange(arrays[0].ndim) if options["axis"] is None else np.atleast_1d(options["axis"])
        return self.of(arrays[0]) if min(axes % arrays[0].ndim) > 1 else None

    def _pad(self, arrays, options, y):
        beyond = any(options["padding"][2 * (arrays[0].ndim - 2) :])
        return None if beyond or options.get("value", 0.0) else self.of(arrays[0])

    def _getitem(self, arrays, options, y):
        index = options["index"] if isinstance(options["index"], tuple) else (options["index"],)
        whole = len(index) > 1 and all(isinstance(i, slice) for i in index)
        whole = whole and index[0] == index[1] == slice(None)
        return self.of(arrays[0]) if whole else None

    def _channel_shuffle(self, arrays, options, y):
        """Channel k of every group goes with channel k of the others, else the interleaving would be another."""
        split = self.of(arrays[0]).reshape(options["groups"], -1)
        for other in split[1:]:
            self.found.tie(split[0], other)
        return split.T.reshape(-1)

    def _shift2d(self, arrays, options, y):
        module, ids = running.get(), self.of(arrays[0])
        if not isinstance(module, Shift2d):
            return None
        self.found.use(self.paths[id(module)], "offsets", 1, ids, False)
        return ids
