"""What is compressed must be finite: one NaN would decide about every weight of its layer, and nobody would see it."""

import numpy as np


def check_finite(what: str, a: np.ndarray) -> None:
    """ValueError unless all numbers of a are finite. It says how many are not, and which is the first.

    what: the caller and the array's name, such as "sensitivity: fc1.weight".
    """
    a = np.asarray(a)
    bad = np.argwhere(~np.isfinite(a))
    if len(bad):
        first = tuple(int(i) for i in bad[0])
        raise ValueError(f"{what}: want finite numbers, got {len(bad)} of {a.size} that are not: {a[first]} at {first}")
