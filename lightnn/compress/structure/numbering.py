"""Numbers the channels of every array in a run, by the channel rules that the ops declare (see `lightnn.declare`)."""

from dataclasses import dataclass

import numpy as np

from lightnn.declare import pools, same
from lightnn.nn.module import running


class Numbering:
    """A watcher (`lightnn.tensor.watching`): gives the channels of each op's output their numbers, and notes in
    `found`, a Channels, what uses them. If an op needs all channels of its input, they are held, and so are those of
    its output, which get new numbers.

    A function of each number that does not give 0 for 0, such as a sigmoid, leaves something in a channel that is
    removed. Only a product with feature maps where it is 0 can read that: the gate of a squeeze-and-excitation."""

    def __init__(self, model, found):
        self.found, self.numbers, self.count = found, {}, -1
        self.lifted = {}  # id of an array whose removed channels are not 0: (the array, the reason)
        self.paths = {id(m): name for name, m in model.named_modules()}

    def give(self, array, ids):
        self.numbers[id(array)] = array, ids  # the array is kept, so that its id is not used again

    def known(self, array):
        return id(array) in self.numbers

    def ids(self, array):
        """The numbers of an array's channels; new ones, held, if they are not known."""
        if not self.known(array):
            self.give(array, self.held(array, "where it comes from is not known"))
        return self.numbers[id(array)][1]

    def held(self, array, reason):
        """New numbers for the array's channels, none of which can be removed."""
        ids = self.found.new(array.shape[1] if np.ndim(array) > 1 else 0)
        self.found.hold(ids, reason)
        return ids

    def ground(self, arrays):
        """Hold the channels of those arrays that are not 0 where a channel is removed."""
        for a in arrays:
            if id(a) in self.lifted:
                self.found.hold(self.ids(a), self.lifted[id(a)][1])

    def __call__(self, op, arrays, options, y):
        self.count += 1
        known = [a for a in arrays if self.known(a)]
        if not known:
            return  # an op on weights only
        path = self.paths.get(id(running.get()))
        reason = f"{op.name} in {path or 'the network'} needs all channels"
        if not (op.name == "mul" and len(known) == 2 and any(id(a) not in self.lifted for a in known)):
            self.ground(known)
        ids = None
        if op.channels and op.zero_stays_zero(options):
            ids = op.channels(OneCall(self, arrays, options, y, running.get(), path))
        elif op.channels is same:
            ids = self.ids(known[0])
            self.lifted[id(y)] = y, reason
        if ids is None:
            for a in known:
                self.found.hold(self.ids(a), reason)
            ids = self.held(y, reason)
        self.give(y, ids)
        for layer, rows in self.found.layers.items():
            if rows is ids and op.channels is not pools:
                self.found.features[layer] = self.count


@dataclass(frozen=True)
class OneCall:
    """One call of an op, for its channel rule: `lightnn.declare.Call` says what each method does."""

    numbering: Numbering
    arrays: list
    options: dict
    y: np.ndarray
    module: object
    path: str | None

    known = property(lambda self: self.numbering.known)
    ids = property(lambda self: self.numbering.ids)
    tie = property(lambda self: self.numbering.found.tie)
    hold = property(lambda self: self.numbering.found.hold)

    def owns(self, weight, bias):
        own = getattr(self.module, "weight", None), getattr(self.module, "bias", None)
        fits = own[0] is not None and own[0].shape == weight.shape and (bias is None) == (own[1] is None)
        return fits and self.path is not None

    def rows(self, count):
        layers = self.numbering.found.layers
        if self.path not in layers:  # a layer that runs twice makes the same channels
            layers[self.path] = self.numbering.found.new(count)
        return layers[self.path]

    def use(self, attribute, axis, ids, *, makes=False, positions=0):
        self.numbering.found.use(self.path, attribute, axis, ids, makes, positions)
