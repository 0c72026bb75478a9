"""Checks of the arrays that ops get: one line of error says what was wanted and what was given. Options are checked by
`lightnn.options`."""

import numpy as np

_FLOATING = {np.dtype(np.float32), np.dtype(np.float64)}


def floating(op: str, **arrays: np.ndarray | None) -> None:
    """Raise TypeError unless all arrays have one dtype, float32 or float64. None is skipped."""
    dtypes = {a.dtype for a in arrays.values() if a is not None}
    if len(dtypes) > 1 or not dtypes <= _FLOATING:
        came = ", ".join(f"{name} {a.dtype}" for name, a in arrays.items() if a is not None)
        raise TypeError(f"{op}: want floating-point arrays of one dtype, got {came}")


def shape(op: str, want: str, ok: bool, **arrays: np.ndarray | None) -> None:
    """Unless ok, raise ValueError with what was wanted and the shapes that were given."""
    if not ok:
        came = ", ".join(f"{name} {None if a is None else a.shape}" for name, a in arrays.items())
        raise ValueError(f"{op}: want {want}; got {came}")
