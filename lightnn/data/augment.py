"""Augmentation and normalization of a batch of images x (N, C, H, W); each returns a new array of the same dtype.

A random function takes `rng`, a Generator or a seed. Pass one Generator through the whole training: a seed draws the
same numbers for every batch.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from .checks import check_images
from .loader import Rng, check_count


def random_shift(x: np.ndarray, max_shift: int = 2, *, rng: Rng) -> np.ndarray:
    """Move each image by its own (dy, dx), both uniform on {-max_shift, ..., max_shift} pixels; zeros fill the gap.

    The jitter of Hinton, Vinyals and Dean 2015 (arXiv:1503.02531, section 3: up to two pixels on MNIST).
    Raises ValueError for x not a float array (N, C, H, W) or max_shift not an integer >= 0.
    """
    check_images(x, "random_shift")
    check_count("random_shift", "max_shift", max_shift, at_least=0)
    # Cropping an image that was padded by m at an offset in 0..2m is a shift by m - offset, in -m..m.
    return random_crop(x, x.shape[2:], padding=max_shift, rng=rng)


def random_crop(x: np.ndarray, size: int | tuple[int, int], padding: int = 0, *, rng: Rng) -> np.ndarray:
    """Pad each image with `padding` zeros on every side, then cut out a window at a random place: (N, C, *size).

    size: height and width in pixels, or one number for both. CIFAR-10's usual augmentation is size 32, padding 4 (He,
        Zhang, Ren and Sun 2015, arXiv:1512.03385, section 4.2).
    Raises ValueError for x not a float array (N, C, H, W), a padding below 0, or a window that does not fit.
    """
    check_images(x, "random_crop")
    check_count("random_crop", "padding", padding, at_least=0)
    N, C, H, W = x.shape
    h, w = (size, size) if isinstance(size, int | np.integer) else size
    if not (1 <= h <= H + 2 * padding and 1 <= w <= W + 2 * padding):
        raise ValueError(f"random_crop: want size from 1 to {(H + 2 * padding, W + 2 * padding)}; got {(h, w)}")
    padded = np.zeros((N, C, H + 2 * padding, W + 2 * padding), x.dtype)
    padded[:, :, padding : padding + H, padding : padding + W] = x
    windows = sliding_window_view(
        padded, (h, w), axis=(2, 3)
    )  # (N, C, rows of offsets, columns of offsets, h, w), no copy
    rng = np.random.default_rng(rng)
    dy, dx = (rng.integers(0, n_offsets, N) for n_offsets in windows.shape[2:4])
    return windows[np.arange(N), :, dy, dx]


def random_flip(x: np.ndarray, p: float = 0.5, *, rng: Rng) -> np.ndarray:
    """Mirror each image left to right with probability p. For photographs and clothes, not for digits.

    Raises ValueError for x not a float array (N, C, H, W) or p outside [0, 1].
    """
    check_images(x, "random_flip")
    if not 0 <= p <= 1:
        raise ValueError(f"random_flip: want p from 0 to 1; got {p}")
    flip = np.random.default_rng(rng).random(len(x)) < p
    y = x.copy()
    y[flip] = x[flip, :, :, ::-1]
    return y


def normalize(x: np.ndarray, mean: ArrayLike, std: ArrayLike) -> np.ndarray:
    """(x - mean) / std for each channel; mean and std are numbers or C of them, in the units of x.

    Take them from the training set alone: x_train.mean(axis=(0, 2, 3)), x_train.std(axis=(0, 2, 3)).
    Raises ValueError for x not a float array (N, C, H, W), a wrong number of them, a value not finite, or a std <= 0.
    """
    check_images(x, "normalize")
    mean, std = np.asarray(mean, x.dtype), np.asarray(std, x.dtype)
    for name, value in (("mean", mean), ("std", std)):
        if value.shape not in ((), (1,), (x.shape[1],)) or not np.isfinite(value).all():
            raise ValueError(f"normalize: want {name} a finite number or {x.shape[1]} of them; got {value.tolist()}")
    if (std <= 0).any():
        raise ValueError(f"normalize: want std > 0; got {std.tolist()}")
    return (x - mean.reshape(-1, 1, 1)) / std.reshape(-1, 1, 1)
