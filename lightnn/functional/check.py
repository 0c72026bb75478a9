"""Argument checks of the ops: one line of error says what was wanted and what was given."""

import numbers

import numpy as np

Pair = int | tuple[int, int]  # an option for both axes, or one for each: (vertical, horizontal)


def pair(value: Pair, *, name: str, at_least: int = 0) -> tuple[int, int]:
    """(h, w) from an int or a pair of ints, each >= at_least."""
    two = (value, value) if isinstance(value, numbers.Integral) else tuple(value) if np.iterable(value) else ()
    if len(two) != 2 or not all(isinstance(v, numbers.Integral) and v >= at_least for v in two):
        raise ValueError(f"{name}: want an int >= {at_least} or a pair of them, got {value!r}")
    return int(two[0]), int(two[1])


def floating(op: str, **arrays: np.ndarray | None) -> None:
    """Raise TypeError unless all arrays have one dtype, float32 or float64. None is skipped."""
    given = {name: a for name, a in arrays.items() if a is not None}
    dtypes = {a.dtype for a in given.values()}
    if len(dtypes) > 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
        came = ", ".join(f"{name} {a.dtype}" for name, a in given.items())
        raise TypeError(f"{op}: want floating-point arrays of one dtype, got {came}")


def shape(op: str, want: str, ok: bool, **arrays: np.ndarray | None) -> None:
    """Unless ok, raise ValueError with what was wanted and the shapes that were given."""
    if not ok:
        came = ", ".join(f"{name} {None if a is None else a.shape}" for name, a in arrays.items())
        raise ValueError(f"{op}: want {want}; got {came}")
