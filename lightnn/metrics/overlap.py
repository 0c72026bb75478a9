"""How well a segmentation fits: for each class, the pixels that both call so, of those that either does."""

import numpy as np

from lightnn import options
from lightnn.exercise import exercise


def confusion(predicted: np.ndarray, labels: np.ndarray, num_classes: int) -> np.ndarray:
    """n_ij, how many entries of class i are called class j: int64 (num_classes, num_classes).

    predicted, labels: ints >= 0 of one shape. ValueError unless they are classes below num_classes.
    """
    num_classes = options.count("confusion: num_classes", num_classes)
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.shape != labels.shape or predicted.dtype.kind not in "iu" or labels.dtype.kind not in "iu":
        raise ValueError(
            "confusion: want two arrays of ints of one shape, "
            f"got {predicted.dtype} {predicted.shape} and {labels.dtype} {labels.shape}"
        )
    for array in (predicted, labels):
        if array.size and not 0 <= array.min() <= array.max() < num_classes:
            raise ValueError(f"confusion: want classes from 0 to {num_classes - 1}, got {array.min()} to {array.max()}")
    pairs = labels.ravel().astype(np.int64) * num_classes + predicted.ravel().astype(np.int64)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


@exercise("11.6")
def mean_iou(n):
    """The mean over the classes of intersection over union, from n_ij, how many pixels of class i are called class j:

        IoU_i = n_ii / (sum_j n_ij + sum_j n_ji - n_ii)
        mIoU = mean of IoU_i over the classes i that occur

    A class occurs if some pixel is of it or is called so; others have no IoU and are left out of the mean.

    n: an array (C, C) of numbers >= 0, as `confusion` counts them; it stays as it is. Returns a Python float from 0 to
    1. ValueError if the array is not square, or if no class occurs.
    """
    n = np.asarray(n, np.float64)
    if n.ndim != 2 or n.shape[0] != n.shape[1]:
        raise ValueError(f"mean_iou: want an array (C, C), got {n.shape}")
    both, either = np.diag(n), n.sum(0) + n.sum(1) - np.diag(n)
    if not either.any():
        raise ValueError("mean_iou: want at least one pixel, got none")
    return float(np.mean(both[either > 0] / either[either > 0]))
