"""What a search of widths may change: the sets of channels that are removed together, and what each width costs.

A block is a set of layers whose channels can only be removed together (`compress.channels` finds them): a convolution,
or several that a shortcut ties. It is named for its first layer. Depthwise convolutions and batch norms follow the
block whose channels they pass on. A width is the number of units that stay; a unit is a channel of each of the layers.

The sizes of every layer are sums of widths, so that the MACs of a candidate are counted without building it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lightnn import compress, nn, options
from lightnn.tables import Tabular

Widths = Mapping[str, int]  # block: units that stay


class Size(NamedTuple):
    """Indices along one axis of a weight: fixed + the sum of widths[block] times each block's indices a unit."""

    fixed: int
    of_block: dict[str, int]

    def at(self, widths: Widths) -> int:
        return self.fixed + sum(widths[block] * count for block, count in self.of_block.items())


class Layer(NamedTuple):
    """One convolution or fully connected layer. taps: K_h K_w; positions: how often a run uses each weight."""

    rows: Size
    columns: Size
    taps: int
    positions: int
    depthwise: bool

    def macs(self, widths: Widths) -> int:
        columns = 1 if self.depthwise else self.columns.at(widths)
        return self.rows.at(widths) * columns * self.taps * self.positions

    def channels(self, widths: Widths) -> tuple[int, int]:
        """(C_in, C_out)."""
        rows = self.rows.at(widths)
        return rows if self.depthwise else self.columns.at(widths), rows


class Blocks(Tabular):
    """The blocks of a network, for inputs of input_shape (N, C, H, W).

    widths: {block: its units now}. layers: {path: Layer}, in the order of the run. ValueError if two sets of channels
    overlap in part, as in networks that concatenate parts of sets.
    """

    def __init__(self, model: nn.Module, input_shape: Sequence[int]):
        self.shape = options.shape("Blocks: input_shape", input_shape)
        self.found = compress.channels(model, self.shape)
        self.widths, self._block_of = {}, {}
        for layer, ids in self.found.layers.items():
            roots = dict.fromkeys(self.found.roots(ids).tolist())
            if any(self.found.reason(layer, row) for row in range(len(ids))) or set(roots) <= self._block_of.keys():
                continue
            if not self._block_of.keys().isdisjoint(roots):
                raise ValueError(f"Blocks: want sets of channels that are equal or apart; those of {layer} overlap")
            self.widths[layer] = len(roots)
            self._block_of |= dict.fromkeys(roots, layer)
        self.layers = self._layers(dict(model.named_modules()))

    def _layers(self, modules):
        uses = {(use.owner, use.axis): use for use in self.found.uses if use.attribute == "weight"}
        layers = {}
        for (path, axis), use in uses.items():
            layer = modules[path]
            if axis == 0 and isinstance(layer, nn.Conv2d | nn.Linear):
                taps, deep = int(np.prod(layer.weight.shape[2:])), (path, 1) not in uses
                columns = use if deep else uses[path, 1]
                layers[path] = Layer(self._size(use), self._size(columns), taps, use.positions, deep)
        return layers

    def _size(self, use):
        blocks = Counter(self._block_of.get(root) for root in self.found.roots(use.ids).tolist())
        return Size(blocks.pop(None, 0), {block: n // self.widths[block] for block, n in blocks.items()})

    def channels(self, widths: Widths) -> dict[str, tuple[int, int]]:
        """{layer: (C_in, C_out)}."""
        return {path: layer.channels(widths) for path, layer in self.layers.items()}

    def macs(self, widths: Widths) -> int:
        """Of one run on input_shape."""
        return sum(layer.macs(widths) for layer in self.layers.values())

    def removed(self, model: nn.Module, widths: Widths, order: int = 2) -> dict[str, np.ndarray]:
        """{block: rows}: the units with the smallest norms, so that widths[block] stay."""
        gone = {block: 1 - widths[block] / n for block, n in self.widths.items() if widths[block] < n}
        return compress.select(self.found, compress.norms(model, self.found, order), gone)

    def thin(self, model: nn.Module, widths: Widths, order: int = 2) -> nn.Module:
        """A new network of these widths: in each block the units with the largest norms stay."""
        return compress.thin(model, compress.plan(model, self.found, self.removed(model, widths, order)))

    def table(self):
        rows = []
        for block, width in self.widths.items():
            own = [p for p, layer in self.layers.items() if block in layer.rows.of_block and p != block]
            rows.append((block, width, ", ".join(own)))
        return "", ("block", "units", "cut with it"), rows

    def __repr__(self):
        return f"Blocks({', '.join(f'{block} {width}' for block, width in self.widths.items())})"


def multiples(width: int, step: int) -> list[int]:
    """The widths that a search tries, the widest first: multiples of step below `width`, and at least one step."""
    return list(range((width - 1) // step * step, 0, -step))
