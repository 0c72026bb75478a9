"""Minibatches, and a validation set split off the training set."""

from collections.abc import Iterator

import numpy as np

from lightnn import options
from lightnn.options import Rng

from .checks import describe


def batches(
    x: np.ndarray, y: np.ndarray, batch_size: int, rng: Rng | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """One pass over x (N, ...) and y (N, ...) in ceil(N / batch_size) minibatches; the last one may be short.

    rng: a Generator or a seed to shuffle with; None keeps the order. Make one Generator before the loop over epochs and
        pass it to each call: a seed gives the same shuffle every time.
    Each minibatch is a copy.
    Raises ValueError, at the call, for no data, unequal lengths or a batch size that is not a positive integer.
    """
    check_pair("batches", x, y)
    batch_size = options.count("batches: batch_size", batch_size)
    order = np.arange(len(x)) if rng is None else options.generator("batches: rng", rng).permutation(len(x))
    return ((x[i], y[i]) for i in (order[start : start + batch_size] for start in range(0, len(x), batch_size)))


def split_validation(
    x: np.ndarray, y: np.ndarray, n_val: int, rng: Rng = 0
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Split off n_val random examples for validation: ((x_tr, y_tr), (x_val, y_val)), copies.

    Every example goes into exactly one part, and each part keeps the order it had. The same seed gives the same split.
    Raises ValueError for unequal lengths, or an n_val that leaves one part empty.
    """
    check_pair("split_validation", x, y)
    n_val = options.count("split_validation: n_val", n_val)
    if n_val >= len(x):
        raise ValueError(f"split_validation: want n_val < {len(x)}, the number of examples; got {n_val}")
    is_val = np.zeros(len(x), bool)
    is_val[options.generator("split_validation: rng", rng).choice(len(x), n_val, replace=False)] = True
    return (x[~is_val], y[~is_val]), (x[is_val], y[is_val])


def check_pair(where: str, x: np.ndarray, y: np.ndarray) -> None:
    """Raise ValueError unless x and y are arrays of one length, at least 1."""
    if not all(isinstance(a, np.ndarray) and a.ndim for a in (x, y)) or len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"{where}: want arrays x (N, ...) and y (N, ...), N >= 1; got x {describe(x)}, y {describe(y)}"
        )
