"""What the steps of an integer network hold and do. Each takes codes, uint8, and gives codes; images are channels last.

    r = S (q - Z)                                       what a code q says (Jacob et al. 2018, arXiv 1712.05877)
    layer        q = Z3 + M (b + sum (q1 - Z1) w)       M = S1 S2 / S3, in fixed point; ReLU is a bound of q
    addition     q = Z3 + (S1 (q1 - Z1) + S2 (q2 - Z2)) / S3
    table        q = codes[q1], for a function of one number
    moves        pooling by maximum, flatten, a slice: the codes stay what they are

A step is a NamedTuple of arrays and numbers that is called with arrays.
"""

from typing import NamedTuple

import numpy as np

from lightnn import functional as F
from lightnn.functional.pool import window
from lightnn.kernels.quantized import conv, convert, depthwise, join, pool, requantize
from lightnn.tensor import Tensor

MAPS = ("relu", "relu6", "hardtanh", "hardswish", "hardsigmoid", "silu", "sigmoid", "tanh", "logsigmoid")  # of a number


class Codes(NamedTuple):
    """What the codes of a tensor mean: r = scale (q - zero), low <= q <= high. shape: without the batch, as floats."""

    scale: float
    zero: int
    low: int
    high: int
    shape: tuple[int, ...]

    def of(self, r: float) -> int:
        """The code nearest to a number."""
        return int(np.clip(np.rint(r / self.scale) + self.zero, self.low, self.high))

    def within(self, low: float, high: float) -> "Codes":
        """Those of numbers from low to high only."""
        ends = [self.low if np.isinf(r) else self.of(r) for r in (low, high)]
        return self._replace(low=ends[0], high=self.high if np.isinf(high) else ends[1])


class Quantize(NamedTuple):
    """Codes of floats; images become channels last."""

    codes: Codes

    def __call__(self, x):
        scale, zero, low, high, _ = self.codes
        q = convert.quantize(x, scale, zero)
        return q if (low, high) == (0, 255) else np.clip(q, low, high)


class Dequantize(NamedTuple):
    """Floats of codes; images become channels first again."""

    codes: Codes

    def __call__(self, q):
        return convert.dequantize(q, self.codes.scale, self.codes.zero)


class Linear(NamedTuple):
    """filters: its weight, packed; out: requantize.Output."""

    filters: conv.Filters
    out: requantize.Output

    def __call__(self, q):
        return conv.linear(q, self.filters, self.out)


class Conv2d(NamedTuple):
    """filters: its weight, packed; padding: (top, bottom, left, right)."""

    filters: conv.Filters
    out: requantize.Output
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]

    def __call__(self, q):
        return conv.forward(q, self.filters, self.out, self.stride, self.padding)


class DepthwiseConv2d(NamedTuple):
    """As Conv2d, with filters of one channel each."""

    filters: depthwise.Filters
    out: requantize.Output
    stride: tuple[int, int]
    padding: tuple[int, int, int, int]

    def __call__(self, q):
        return depthwise.forward(q, self.filters, self.out, self.stride, self.padding)


class Table(NamedTuple):
    """values: uint8 (256,), the code of the result for each code."""

    values: np.ndarray

    def __call__(self, q):
        return self.values[q]


class Add(NamedTuple):
    how: join.Addition

    def __call__(self, a, b):
        return join.add(a, b, self.how)


class Concat(NamedTuple):
    """tables: for each operand the codes in the scale of the result, or None where it has that scale."""

    tables: tuple

    def __call__(self, *operands):
        return join.concat(operands, self.tables)


class MaxPool2d(NamedTuple):
    window: tuple

    def __call__(self, q):
        return pool.max_pool2d(q, *self.window)


class AvgPool2d(NamedTuple):
    """The mean in the scale of the operand, then `values` in that of the result. border: (top, bottom, left, right) of
    zeros that count, which have the code `zero`."""

    window: tuple
    border: tuple[int, int, int, int]
    zero: int
    values: np.ndarray

    def __call__(self, q):
        if any(self.border):
            pairs = (0, 0), self.border[:2], self.border[2:], (0, 0)
            q = np.pad(q, pairs, constant_values=self.zero)
        return self.values[pool.avg_pool2d(q, *self.window)]


class AdaptiveAvgPool2d(NamedTuple):
    size: tuple[int, int]
    values: np.ndarray

    def __call__(self, q):
        return self.values[pool.adaptive_avg_pool2d(q, self.size)]


class Move(NamedTuple):
    """Codes that are moved only: change(q) -> q."""

    change: object

    def __call__(self, q):
        return self.change(q)


# ---- how they are made: of an op of the run, what the codes that it reads mean, and what its own shall mean ----


def table(x: Codes, y: Codes, f) -> Table:
    """For y = f(x), f a function of arrays."""
    r = f((np.arange(256) - x.zero) * np.float32(x.scale))
    return Table(np.clip(np.rint(r / np.float32(y.scale)) + y.zero, y.low, y.high).astype(np.uint8))


def table_of_op(op, given: list[Codes], y: Codes) -> Table:
    """For an op of one operand that maps each number by itself. ValueError for any other."""
    name = op.op.name
    if len(given) != 1 or name not in MAPS:
        raise ValueError(f"want an op that integers can compute, got {name} of {len(given)} tensors")
    f = getattr(F, name)
    return table(given[0], y, lambda r: f(Tensor(r), **op.options).data)


def add(op, given: list[Codes], y: Codes) -> Add:
    if len(given) != 2 or given[0].shape != given[1].shape:
        raise ValueError(f"want a sum of two tensors of one shape, got {[codes.shape for codes in given]}")
    a, b = given
    return Add(join.addition((a.scale, b.scale, y.scale), (a.zero, b.zero, y.zero), y.low, y.high))


def concat(op, given: list[Codes], y: Codes) -> Concat:
    if op.options["dim"] % op.y.ndim != 1 or op.y.ndim != 4:
        raise ValueError(f"want a concatenation of images along their channels, got dim={op.options['dim']}")
    tables = [join.table(x.scale, x.zero, y.scale, y.zero, y.low, y.high) for x in given]
    same = [(x.scale, x.zero) == (y.scale, y.zero) and x.low >= y.low and x.high <= y.high for x in given]
    return Concat(tuple(None if s else t for s, t in zip(same, tables)))


def avg_pool2d(op, given: list[Codes], y: Codes) -> AvgPool2d:
    (x,), options = given, dict(op.options)
    counted = options.pop("count_include_pad")
    kernel, stride, padding, extra = window("avg_pool2d", np.empty((1, *x.shape), np.float32), **options)
    values, (top, bottom, left, right), (h, w) = table(x, y, lambda r: r).values, padding, extra
    if counted and any(padding):
        if h or w:
            raise ValueError(f"want a mean with ceil_mode=False or without padding, got padding {padding}")
        return AvgPool2d((kernel, stride, (0, 0, 0, 0)), padding, x.zero, values)
    return AvgPool2d((kernel, stride, (top, bottom + h, left, right + w)), (0, 0, 0, 0), x.zero, values)


def adaptive_avg_pool2d(op, given: list[Codes], y: Codes) -> AdaptiveAvgPool2d:
    return AdaptiveAvgPool2d(op.y.shape[2:], table(given[0], y, lambda r: r).values)
