"""Steps that move codes or choose among them, on images with their channels last: what they say stays what it was."""

import functools
import math

import numpy as np

from lightnn.compress.structure.wiring import Step
from lightnn.functional.pool import window
from lightnn.runtime.integers.steps import Codes, MaxPool2d, Move, Table

MOVES = ("relu", "max_pool2d", "flatten", "reshape", "getitem", "pad", "shift2d", "channel_shuffle")


def codes_after(codes: Codes, step: Step) -> Codes:
    """What the codes mean after the step."""
    return codes._replace(shape=step.y.shape[1:])


def move(step: Step, codes: Codes, modules: dict):
    """The step's run, of codes of this meaning. ValueError if it does not only move them."""
    name, given = step.op.name, step.options
    if name == "relu":
        return Table(np.maximum(np.arange(256), codes.zero).astype(np.uint8))
    if name == "max_pool2d":
        x = np.empty((1, *codes.shape), np.float32)
        kernel, stride, (top, bottom, left, right), (h, w) = window(name, x, **given)
        return MaxPool2d((kernel, stride, (top, bottom + h, left, right + w)))
    if name in ("flatten", "reshape"):
        if step.y.shape[1:] != (math.prod(codes.shape),):
            raise ValueError(f"lower_integers: {step.module}: want {name} to (N, {math.prod(codes.shape)}) only, "
                             f"got {step.y.shape}")  # fmt: skip
        return Move(flat)
    if name == "getitem":
        return Move(functools.partial(part, index=_last(_slices(step, given["index"]))))
    if name == "pad":
        return Move(functools.partial(padded, widths=_last(_widths(given["padding"])), value=codes.of(given["value"])))
    if name == "channel_shuffle":
        return Move(functools.partial(shuffled, groups=given["groups"]))
    return Move(functools.partial(shifted, offsets=modules[step.module].offsets_of(codes.shape[0]), zero=codes.zero))


def _last(axes):
    """What is said of (N, C, H, W), said of (N, H, W, C)."""
    n, c, h, w = axes
    return n, h, w, c


def _slices(step, index):
    index = index if isinstance(index, tuple) else (index,)
    if step.y.ndim != 4 or not all(isinstance(s, slice) for s in index) or index[0] != slice(None):
        raise ValueError(f"lower_integers: {step.module or 'the network'}: want slices of an image, got {index}")
    return *index, *[slice(None)] * (4 - len(index))


def _widths(padding):
    pairs = [tuple(padding[i : i + 2]) for i in range(0, len(padding), 2)]
    return [(0, 0)] * (4 - len(pairs)) + pairs[::-1]


def flat(q):
    return q.reshape(len(q), math.prod(q.shape[1:]))


def part(q, index):
    return np.ascontiguousarray(q[index])


def padded(q, widths, value):
    return np.pad(q, widths, constant_values=value)


def shuffled(q, groups):
    """Channel g C/G + k becomes channel k G + g."""
    n, h, w, c = q.shape
    return np.ascontiguousarray(q.reshape(n, h, w, groups, c // groups).swapaxes(3, 4)).reshape(q.shape)


def shifted(q, offsets, zero):
    """Channel c moved by (dy, dx) = offsets[:, c] pixels: y[h, w] = q[h + dy, w + dx], the code of 0 outside."""
    y, (height, width) = np.full_like(q, zero), q.shape[1:3]
    for dy, dx in {(int(a), int(b)) for a, b in offsets.T}:
        c = np.flatnonzero((offsets[0] == dy) & (offsets[1] == dx))
        rows, columns = (slice(max(0, -d), max(0, size - max(0, d))) for d, size in ((dy, height), (dx, width)))
        from_rows, from_columns = (
            slice(max(0, d), max(0, size + min(0, d))) for d, size in ((dy, height), (dx, width))
        )
        y[:, rows, columns, c] = q[:, from_rows, from_columns, c]
    return y


def all_bytes(run) -> np.ndarray:
    """The bytes of all arrays that a step holds."""
    values = [run] if isinstance(run, np.ndarray) else list(run) if isinstance(run, tuple) else []
    if isinstance(run, functools.partial):
        values = list(run.keywords.values())
    parts = [v.reshape(-1).view(np.uint8) if isinstance(v, np.ndarray) else all_bytes(v) for v in values]
    return np.concatenate([np.empty(0, np.uint8), *parts])
