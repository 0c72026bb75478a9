"""The check of images and labels before training, evaluation and batching."""

import numpy as np

from lightnn import options


def check_images_labels(x: np.ndarray, y: np.ndarray, num_classes: int | None = None, where: str = "data") -> None:
    """Raise one clear ValueError unless x and y are a labelled batch of images or of feature vectors.

    x: float32 or float64, (N, C, H, W) or (N, D), N >= 1, every value finite.
    y: integers, (N,), each in [0, num_classes), or just >= 0 when num_classes is None.
    where: the first word of the error, the name of the function that asks.
    """
    num_classes = None if num_classes is None else options.count(f"{where}: num_classes", num_classes)
    check_images(x, where, ndims=(2, 4))
    check_labels(y, len(x), num_classes, where)
    check_finite(x, where)


def check_images(x: np.ndarray, where: str, ndims: tuple[int, ...] = (4,)) -> None:
    """Raise ValueError unless x is a non-empty float array (N, C, H, W), or (N, D) where `ndims` has 2."""
    wanted = " or ".join({2: "(N, D)", 4: "(N, C, H, W)"}[n] for n in reversed(ndims))
    if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64) or x.ndim not in ndims:
        raise ValueError(f"{where}: want x a float32 or float64 array {wanted}; got {describe(x)}")
    if x.size == 0:
        raise ValueError(f"{where}: want at least one image and one pixel in x; got {describe(x)}")


def check_labels(y: np.ndarray, n: int, num_classes: int | None, where: str) -> None:
    """Raise ValueError unless y is n integer labels in [0, num_classes)."""
    if not isinstance(y, np.ndarray) or not np.issubdtype(y.dtype, np.integer) or y.ndim != 1:
        raise ValueError(f"{where}: want y an integer array (N,); got {describe(y)}")
    if len(y) != n:
        raise ValueError(f"{where}: want as many labels as images; got {n} images and {len(y)} labels")
    bad = np.flatnonzero((y < 0) if num_classes is None else (y < 0) | (y >= num_classes))
    if bad.size:
        wanted = ">= 0" if num_classes is None else f"from 0 to {num_classes - 1}"
        raise ValueError(f"{where}: want labels {wanted}; got {y[bad[0]]} at index {bad[0]} ({bad.size} such labels)")


def check_finite(x: np.ndarray, where: str) -> None:
    """Raise ValueError if x holds a NaN or an infinity, naming the first."""
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(x.sum()):  # a NaN or an infinity always survives a sum: the usual case costs no second array
            return
    bad = np.argwhere(~np.isfinite(x))
    if len(bad):  # else the sum of large finite values overflowed
        index = tuple(bad[0].tolist())
        raise ValueError(f"{where}: want finite values in x; got {x[index]} at index {index} ({len(bad)} such values)")


def describe(value: object) -> str:
    """An array as `float32 (2, 3)`, anything else as its type's name: the 'got' half of an error."""
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
