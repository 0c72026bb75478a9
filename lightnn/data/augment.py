"""Augmentation and normalization of a batch of images x (N, C, H, W); each returns a new array of the same dtype.

A random function takes `rng`, a Generator or a seed. Pass one Generator through the whole training: a seed draws the
same numbers for every batch.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from lightnn import options
from lightnn.options import Rng

from .checks import check_images


def random_shift(x: np.ndarray, max_shift: int = 2, *, rng: Rng) -> np.ndarray:
    """Move each image by its own (dy, dx), both uniform on {-max_shift, ..., max_shift} pixels; zeros fill the gap.

    The jitter of Hinton, Vinyals and Dean 2015 (arXiv:1503.02531, section 3: up to two pixels on MNIST).
    Raises ValueError for x not a float array (N, C, H, W) or max_shift not an integer >= 0.
    """
    check_images(x, "random_shift")
    max_shift = options.times("random_shift: max_shift", max_shift)
    rng = options.generator("random_shift: rng", rng)
    # Cropping an image that was padded by m at an offset in 0..2m is a shift by m - offset, in -m..m.
    return random_crop(x, x.shape[2:], padding=max_shift, rng=rng)


def random_crop(x: np.ndarray, size: int | tuple[int, int], padding: int = 0, *, rng: Rng) -> np.ndarray:
    """Pad each image with `padding` zeros on every side, then cut out a window at a random place: (N, C, *size).

    size: height and width in pixels, or one number for both. CIFAR-10's usual augmentation is size 32, padding 4 (He,
        Zhang, Ren and Sun 2015, arXiv:1512.03385, section 4.2).
    Raises ValueError for x not a float array (N, C, H, W), a padding below 0, or a window that does not fit.
    """
    check_images(x, "random_crop")
    padding, rng = options.times("random_crop: padding", padding), options.generator("random_crop: rng", rng)
    N, C, H, W = x.shape
    h, w = options.pair("random_crop: size", size, at_least=1)
    if not (1 <= h <= H + 2 * padding and 1 <= w <= W + 2 * padding):
        raise ValueError(f"random_crop: want size from 1 to {(H + 2 * padding, W + 2 * padding)}; got {(h, w)}")
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    windows = sliding_window_view(
        padded, (h, w), axis=(2, 3)
    )  # (N, C, rows of offsets, columns of offsets, h, w), no copy
    dy, dx = (rng.integers(0, n_offsets, N) for n_offsets in windows.shape[2:4])
    return windows[np.arange(N), :, dy, dx]


def random_flip(x: np.ndarray, p: float = 0.5, *, rng: Rng) -> np.ndarray:
    """Mirror each image left to right with probability p. For photographs and clothes, not for digits.

    Raises ValueError for x not a float array (N, C, H, W) or p outside [0, 1].
    """
    check_images(x, "random_flip")
    p = options.probability("random_flip: p", p)
    flip = options.generator("random_flip: rng", rng).random(len(x)) < p
    y = x.copy()
    y[flip] = x[flip, :, :, ::-1]
    return y


def normalize(x: np.ndarray, mean: ArrayLike, std: ArrayLike) -> np.ndarray:
    """(x - mean) / std for each channel; mean and std are numbers or C of them, in the units of x.

    Take them from the training set alone: x_train.mean(axis=(0, 2, 3)), x_train.std(axis=(0, 2, 3)).
    Raises ValueError for x not a float array (N, C, H, W), a wrong number of them, a value not finite, or a std <= 0.
    """
    check_images(x, "normalize")
    mean, std = _by_channel("mean", mean, x), _by_channel("std", std, x)
    if (std <= 0).any():
        raise options.wrong("normalize: std", "numbers > 0", std.ravel().tolist())
    return (x - mean) / std


def _by_channel(name, value, x):
    """One number, or one a channel of x, as an array (C or 1, 1, 1) of x's dtype."""
    alone = isinstance(value, np.ndarray) and value.ndim == 0
    several = value if isinstance(value, tuple | list | np.ndarray) and not alone else [value[()] if alone else value]
    want = f"a finite number or {x.shape[1]} of them"
    several = options.listed(f"normalize: {name}", several, want, lengths=(1, x.shape[1]))
    return np.array([options.number(f"normalize: {name}", v) for v in several], x.dtype).reshape(-1, 1, 1)
