"""Ops that only move data: flatten, pad, concat."""

from collections.abc import Sequence

import numpy as np

from lightnn import options
from lightnn.declare import lists, reshapes, same
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.tensor import Tensor, op


@op(channels=reshapes, keeps_zero=True)
def flatten(x, *, start_dim: int = 1):
    """Merge all axes of x from start_dim on into one."""
    start_dim = options.whole("flatten: start_dim", start_dim)
    if not -x.ndim <= start_dim < x.ndim:
        raise ValueError(f"flatten: want start_dim within the {x.ndim} axes of x {x.shape}, got {start_dim}")
    lead = x.shape[: start_dim % x.ndim]
    rest = x.shape[start_dim % x.ndim :]
    return x.reshape(*lead, int(np.prod(rest))), lambda dy: dy.reshape(x.shape)


def _channels_of_pad(call):
    """Padding around the pixels leaves the channels; padding along them adds new ones."""
    beyond_pixels = call.options["padding"][2 * (call.arrays[0].ndim - 2) :]
    return None if any(beyond_pixels) else same(call)


@op(channels=_channels_of_pad, keeps_zero=lambda given: not given["value"])
def pad(x, *, padding: Sequence[int], value: float = 0.0):
    """Put `value` around the last axes of x; padding is (left, right) or (left, right, top, bottom), as in PyTorch."""
    value = options.number("pad: value", value, infinite=True)
    want = f"up to {x.ndim} pairs of ints >= 0, last axis first"
    widths = options.ints("pad: padding", padding, want)
    if len(widths) % 2 or len(widths) > 2 * x.ndim:
        raise options.wrong("pad: padding", want, padding)
    pairs = [widths[i : i + 2] for i in range(0, len(widths), 2)]
    widths = [(0, 0)] * (x.ndim - len(pairs)) + pairs[::-1]
    inside = tuple(slice(a, a + n) for (a, _), n in zip(widths, x.shape))
    y = np.full([n + a + b for (a, b), n in zip(widths, x.shape)], value, x.dtype)
    y[inside] = x
    return y, lambda dy: dy[inside]


@exercise("11.5")
def same_padding(size, kernel, stride=1, dilation=1):
    """(before, behind): how many zeros a row of `size` pixels needs for a convolution to give ceil(size / stride)
    outputs, and where, by TensorFlow's rule "SAME":

        reach = (ceil(size / stride) - 1) stride + (kernel - 1) dilation + 1
        p = max(reach - size, 0)

    p // 2 of them before the first pixel, the rest behind the last. All are ints >= 1, as are both results >= 0. For an
    odd kernel at stride 1, both are dilation (kernel - 1) / 2.
    """
    outputs = -(-size // stride)
    p = max((outputs - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return p // 2, p - p // 2


def concat(xs: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Join the Tensors xs along axis dim."""
    dim = options.whole("concat: dim", dim)
    if not len(xs):
        raise ValueError("concat: want at least one Tensor, got none")
    return _concat(*xs, dim=dim)


@op(channels=lists, keeps_zero=True)
def _concat(*xs, dim):
    check.floating("concat", **{f"xs[{i}]": x for i, x in enumerate(xs)})
    named = {f"xs[{i}]": x for i, x in enumerate(xs)}
    in_range = all(-x.ndim <= dim < x.ndim for x in xs)
    rest = {(*x.shape[: dim % x.ndim], 0, *x.shape[dim % x.ndim + 1 :]) for x in xs} if in_range else ()
    check.shape("concat", f"arrays that differ in axis dim={dim} only", len(rest) == 1, **named)
    ends = np.cumsum([x.shape[dim] for x in xs])

    def vjp(i):
        return lambda dy: np.take(dy, np.arange(ends[i] - xs[i].shape[dim], ends[i]), axis=dim)

    return np.concatenate(xs, axis=dim), *(vjp(i) for i in range(len(xs)))
