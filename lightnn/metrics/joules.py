"""The energy of one forward pass, estimated from the energies of single operations.

    E = MACs (E_mult + E_add) + bytes of weights / 8 E_DRAM + 2 bytes of activations / 8 E_SRAM

The numbers are those of Horowitz 2014 ("Computing's energy problem (and what we can do about it)", ISSCC), rough ones
for 45 nm at 0.9 V; checked second hand, in several places that quote his table (such as table 3 of PMC8934428).
Every weight is read from DRAM once, every activation written to and read from a small SRAM once. Caches, registers,
control and leakage are left out, so only ratios of such estimates mean something. The table has no multiplier of 4 or 2
bits, and none is made up here: codes that are multiplied as floats cost what floats cost. Nothing is checked.
"""

import math
from typing import NamedTuple

from lightnn import nn
from lightnn.metrics.tracing import count_parameters, trace

FLOAT_MULT, FLOAT_ADD = 3.7, 0.9  # pJ, 32 bits
INT8_MULT, INT32_ADD = 0.2, 0.1  # pJ; products of 8 bits are summed in 32
SRAM, DRAM = 10.0, (1300 + 2600) / 2  # pJ for 64 bits: a memory of 8 KB, and the middle of what DRAM takes


class Energy(NamedTuple):
    """Picojoules of one forward pass."""

    arithmetic: float
    weights: float
    activations: float

    total = property(lambda self: sum(self))


class Counts(NamedTuple):
    """What one image takes: multiply-accumulates, numbers of the weights, numbers of the activations."""

    macs: int
    weights: int
    activations: int


def counts(model: nn.Module, shape: tuple[int, ...]) -> Counts:
    """The Counts of a chain of layers. shape (1, C, H, W). Activations are the input, the output, and what each layer
    with MACs reads: ReLU and pooling are done before anything is written."""
    rows = trace(model, shape)
    read = sum(math.prod(row.in_shape) for row in rows if row.macs)
    return Counts(rows.macs, count_parameters(model), read + math.prod(rows[-1].out_shape))


def energy(n: Counts, weight_bits: int = 32, activation_bits: int = 32, integers: bool = False) -> Energy:
    """The estimate for weights and activations of these bits. integers: whether codes of 8 bits are multiplied, not
    floats."""
    mac = INT8_MULT + INT32_ADD if integers else FLOAT_MULT + FLOAT_ADD
    weights, activations = n.weights * weight_bits / 64 * DRAM, 2 * n.activations * activation_bits / 64 * SRAM
    return Energy(n.macs * mac, weights, activations)
