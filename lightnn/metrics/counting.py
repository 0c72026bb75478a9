"""What one run costs by the conventions in use, zeros left out or not, and the most that it holds at once.

    MACs               one multiplication and one addition are one: torchvision's tables, Li 2016, MobileNet, NetAdapt
    FLOPs of Han 2015  2 MACs
    sparse-aware       only products of which no factor is 0: Han's "FLOP%"

`trace` has the first. Biases, batch norms, activations and pooling are in none of them; counters that include those
give a few percent more. In `flops_left` and `peak_bytes` nothing is checked.
"""

import itertools
import weakref
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.exercise import exercise
from lightnn.metrics.memory import owner_of
from lightnn.nn import Module
from lightnn.nn.module import evaluating, running
from lightnn.tensor import Tensor, no_grad, watching


class SparseRow(NamedTuple):
    """A layer of one run: its MACs; the fractions of its weights and of its inputs that are not 0."""

    module: str
    macs: int
    weights: float
    inputs: float


def sparse_macs(model: Module, x: np.ndarray) -> list[SparseRow]:
    """A row for each convolution and fully connected layer of a run on x (N, C, H, W), in eval mode.

    macs * weights is exact without a border: each weight is used at every place. macs * weights * inputs is Han's
    estimate of what is left if zeros are skipped on both sides.
    """
    rows, names = [], {id(m): name for name, m in model.named_modules()}

    def watch(op, arrays, given, y):
        if op.is_layer:
            w, seen = op.weights_of(arrays)[0], arrays[0]
            fractions = (np.count_nonzero(a) / a.size for a in (w, seen))
            rows.append(SparseRow(names.get(id(running.get()), ""), op.count_macs(arrays, y), *fractions))

    with evaluating(model), no_grad(), watching(watch):
        model(Tensor(x))
    return rows


@exercise("16.3")
def flops_left(macs: Sequence[int], weights: Sequence[float], outputs: Sequence[float]) -> tuple:
    """(the fraction of FLOPs left in each layer of a chain, a list of floats; the fraction left of all, a float), if
    products with a 0 are skipped: the FLOP% of Han et al. 2015 (arXiv 1506.02626, tables 2 and 3), as a fraction.

        left_l = weights_l outputs_{l-1},   outputs_0 = 1
        of all = sum_l macs_l left_l / sum_l macs_l

    macs: each layer's multiply-accumulates, ints >= 1. weights: the fraction of each layer's weights that is not 0.
    outputs: the fraction of each layer's outputs that is not 0; the last layer's is not used. All have one entry a
    layer, at least one. The first layer's inputs count as if none were 0.
    """
    left = [float(w * seen) for w, seen in zip(weights, [1, *outputs])]
    return left, sum(m * part for m, part in zip(macs, left)) / sum(macs)


@exercise("16.4")
def peak_bytes(lives: Sequence[tuple[int, int, int]]) -> int:
    """The most bytes that are held at once, an int, for arrays (bytes, first, last): each is held from step `first` to
    step `last`, both included. All are ints >= 0, first <= last. 0 for no arrays.

    What a run needs is not the sum of its arrays: one that is not used any more can be forgotten. A layer holds its
    input and its output at the same step; a shortcut is held across the block that it passes.
    """
    changes = sorted([(first, size) for size, first, _ in lives] + [(last + 1, -size) for size, _, last in lives])
    held = most = 0
    for _, change in changes:
        held += change
        most = max(most, held)
    return most


def peak_activations(model: Module, input_shape: Sequence[int]) -> int:
    """The most bytes of activations that a run on zeros of input_shape has to hold at once, in eval mode, as it is
    written: each op gives a new array (but for a view), which is held until its last use. A program that works in
    place, as `runtime.lower` makes, holds less."""
    shape = options.shape("peak_activations: input_shape", input_shape)
    x = Tensor(np.zeros(shape, np.float32))
    lives, now = [[x.data.nbytes, 0, 0]], {id(x.data): (weakref.ref(x.data), 0)}  # id: (array, place in lives)
    steps = itertools.count(1)

    def watch(op, arrays, given, y):
        step, y = next(steps), owner_of(y)
        for a in map(owner_of, (a for a in arrays if isinstance(a, np.ndarray))):
            reference, place = now.get(id(a), (None, None))
            if reference is not None and reference() is a:
                lives[place][2] = step
        if id(y) not in now or now[id(y)][0]() is not y:  # an id is given again when its array is gone
            now[id(y)] = weakref.ref(y), len(lives)
            lives.append([y.nbytes, step, step])

    with evaluating(model), no_grad(), watching(watch):
        model(x)
    return peak_bytes([tuple(life) for life in lives])
