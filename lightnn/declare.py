"""What an op declares where it is defined: what it does to channels, whether it keeps zeros, what it costs.

    @op(channels=same, keeps_zero=True)
    def relu(x): ...

Watchers of a run (`lightnn.tensor.watching`) read these declarations: `metrics.trace` counts by them, and `compress`
finds out by them which channels depend on each other. So a new op is added in one place. A plain `@op` declares
nothing: it then needs all channels of its input, and none of them can be removed.

A channel rule takes a `Call` and returns the numbers of the output's channels, or None if this call needs all channels
of its input. Six rules serve most ops: `same`, `pools`, `mixes`, `joins`, `lists` and `reshapes`. Other rules stand
beside their op, named `channels_of_...`.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from lightnn.exercise import exercise


class Call(Protocol):
    """One call of an op, as its channel rule sees it."""

    arrays: list  # the positional arguments: arrays, numbers or None
    options: dict  # the keyword arguments, defaults included
    y: np.ndarray
    module: object  # the innermost Module that is running

    def known(self, array) -> bool:
        """Whether the array was computed from the network's input; weights and constants were not."""

    def ids(self, array) -> np.ndarray:
        """The numbers of the array's channels."""

    def tie(self, a: np.ndarray, b: np.ndarray) -> None:
        """Channels a[k] and b[k] can only be removed together."""

    def hold(self, ids: np.ndarray, reason: str) -> None:
        """These channels can't be removed."""

    def owns(self, weight, bias) -> bool:
        """Whether they are the weight and bias of the running module."""

    def rows(self, count: int) -> np.ndarray:
        """The numbers of the channels that the running layer makes."""

    def use(self, attribute: str, axis: int, ids, *, makes: bool = False, positions: int = 0) -> None:
        """The module's `attribute` has an index for each channel along `axis`. makes: zeros there make the channel 0.
        positions: how often the run uses each number of it."""


@dataclass(frozen=True)
class Declaration:
    """What an op declares. keeps_zero may be a function of the options; weights: the positions of trained arguments."""

    name: str
    channels: Callable[[Call], np.ndarray | None] | None = None
    keeps_zero: bool | Callable[[dict], bool] = False
    finishes_layer: bool = False  # a layer's activations are seen after it: batch norm, ReLU
    weights: tuple[int, ...] = ()
    macs: Callable[..., int] | None = None  # macs(y, *arrays): multiply-accumulates of one call

    @property
    def is_layer(self) -> bool:
        """Whether it multiplies its input by trained weights, as a convolution does."""
        return bool(self.weights and self.macs)

    def zero_stays_zero(self, options: dict) -> bool:
        """Whether a channel of zeros comes out as zeros. Only then can the op do without a removed channel."""
        return self.keeps_zero(options) if callable(self.keeps_zero) else self.keeps_zero

    def weights_of(self, arrays: list) -> list[np.ndarray]:
        """The trained arguments of one call."""
        given = (arrays[i] for i in self.weights if i < len(arrays))
        return [w for w in given if w is not None]

    def count_macs(self, arrays: list, y: np.ndarray) -> int:
        """The multiply-accumulates of one call."""
        return int(self.macs(y, *arrays)) if self.macs else 0


def same(call: Call) -> np.ndarray:
    """Channel c of the output depends on channel c of the input alone: ReLU, batch norm, dropout."""
    return call.ids(call.arrays[0])


def pools(call: Call) -> np.ndarray:
    """As `same`, but the output summarizes the feature map: a layer's feature maps are those before pooling."""
    return same(call)


def mixes(call: Call) -> np.ndarray | None:
    """A layer y = w x + b: each row of w (O, I/groups, ...) makes a new channel from all channels of its group.

    Every group must lose the same number of channels, so each loses the one in the same place. A depthwise layer,
    whose groups have one channel each, passes channels on.
    """
    x, w, b = call.arrays
    ids = call.ids(x)
    if not call.owns(w, b):
        return call.hold(ids, "a layer reads it with weights that are not its module's own")
    groups = x.shape[1] // w.shape[1]
    if groups > 1 == w.shape[1]:
        rows = np.repeat(ids, len(w) // len(ids))
    else:
        rows = call.rows(len(w))
        for split in (ids.reshape(groups, -1), rows.reshape(groups, -1)):
            for other in split[1:]:
                call.tie(split[0], other)
        call.use("weight", 1, ids[: w.shape[1]])
    call.use("weight", 0, rows, makes=True, positions=call.y.size // call.y.shape[1])
    if b is not None:
        call.use("bias", 0, rows, makes=True)
    return rows


def joins(call: Call) -> np.ndarray | None:
    """An addition makes channel c of both operands one: they can only be removed together."""
    if not all(map(call.known, call.arrays)) or len({a.ndim for a in call.arrays}) > 1:
        return None
    a, b = map(call.ids, call.arrays)
    if len(a) != len(b):
        return None
    call.tie(a, b)
    return a


def lists(call: Call) -> np.ndarray | None:
    """A concatenation along the channels lists those of its operands, one after the other."""
    if call.options["dim"] % call.y.ndim != 1:
        return None
    return np.concatenate([call.ids(a) for a in call.arrays])


def reshapes(call: Call) -> np.ndarray | None:
    """Channels stay in place, or each becomes as many columns as it has pixels."""
    x, y = call.arrays[0], call.y
    if y.shape[:2] == x.shape[:2]:
        return call.ids(x)
    return columns(call.ids(x), x.shape[2:]) if y.ndim == 2 and len(y) == len(x) else None


@exercise("03.3")
def columns(channels, size):
    """The channel of each column of a flattened feature map, in the dtype of channels: flatten makes x (N, C, *size) a
    matrix (N, C * pixels), all pixels of channel 0 first.

        column = c H W + i W + j     for pixel (i, j) of channel c

    channels (C,): what the channels are called, any numbers in any order. size: a tuple, (H, W) for an image, of any
    length; for () each channel has one column.
    """
    return np.repeat(channels, math.prod(size))
