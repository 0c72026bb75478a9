"""Argument checks shared by the ops: one line of error that says what was wanted and what came."""

import numbers

import numpy as np


def pair(value, *, name, at_least=0):
    """(h, w) from an int or a pair of ints, each >= at_least."""
    two = (value, value) if isinstance(value, numbers.Integral) else tuple(value) if np.iterable(value) else ()
    if len(two) != 2 or not all(isinstance(v, numbers.Integral) and v >= at_least for v in two):
        raise ValueError(f"{name}: want an int >= {at_least} or a pair of them, got {value!r}")
    return int(two[0]), int(two[1])


def floating(op, **arrays):
    """Raise TypeError unless every array given (None is skipped) is of one dtype, float32 or float64."""
    given = {name: a for name, a in arrays.items() if a is not None}
    dtypes = {a.dtype for a in given.values()}
    if len(dtypes) > 1 or not dtypes <= {np.dtype(np.float32), np.dtype(np.float64)}:
        came = ", ".join(f"{name} {a.dtype}" for name, a in given.items())
        raise TypeError(f"{op}: want floating-point arrays of one dtype, got {came}")


def shape(op, want, ok, **arrays):
    """Raise ValueError with what was wanted and the shapes that came, unless ok."""
    if not ok:
        came = ", ".join(f"{name} {None if a is None else a.shape}" for name, a in arrays.items())
        raise ValueError(f"{op}: want {want}; got {came}")
