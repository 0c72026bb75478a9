"""Scenes to segment: several small pictures of things on a textured ground, and the class of every pixel.

Things overlap, so their outlines are not their own; they are darker or lighter than they were, and the ground is as
bright as they are. So no pixel tells its class by its brightness alone.
"""

from typing import NamedTuple

import numpy as np

from lightnn import options
from lightnn.data.checks import check_images_labels
from lightnn.options import Rng

GROUND = 0  # the class of pixels that belong to no thing; class k of the pictures becomes k + 1
OUTLINE = 0.15  # pixels of a picture above this belong to the thing


class Scenes(NamedTuple):
    """images float32 (N, 1, H, W) in [0, 1], labels int64 (N, H, W)."""

    images: np.ndarray
    labels: np.ndarray


def make_scenes(
    x: np.ndarray, y: np.ndarray, count: int, *, size: int = 64, things: tuple[int, int] = (2, 4), rng: Rng
) -> Scenes:
    """`count` scenes of size x size pixels, with pictures drawn from x (N, 1, H, W) in [0, 1], classes y (N,).

    things: the least and the most pictures in a scene; each one lies on top of those before it. ValueError for pictures
    that are larger than a scene, or of several channels.
    """
    check_images_labels(x, y)
    count, size = options.counts("make_scenes", count=count, size=size)
    want = "two ints >= 1, the least and the most"
    least, most = options.ints(
        "make_scenes: things", options.listed("make_scenes: things", things, want, (2,)), want, 1
    )
    rng = options.generator("make_scenes: rng", rng)
    if x.ndim != 4 or x.shape[1] != 1 or max(x.shape[2:]) > size or least > most:
        raise ValueError(
            f"make_scenes: want pictures (N, 1, H, W) within {size} x {size} and ordered numbers of things, "
            f"got {x.shape} and {(least, most)}"
        )
    images = np.stack([ground(size, rng) for _ in range(count)])[:, None]
    labels = np.full((count, size, size), GROUND, np.int64)
    for image, label in zip(images, labels):
        for _ in range(rng.integers(least, most + 1)):
            i = rng.integers(len(x))
            _put(image[0], label, x[i, 0], y[i] + 1, rng)
    return Scenes(images, labels)


def ground(size: int, rng: np.random.Generator) -> np.ndarray:
    """A texture, float32 (size, size) in [0, 1]: three waves of random direction and length, and noise."""
    rows, columns = np.mgrid[:size, :size]
    texture = np.zeros((size, size))
    for _ in range(3):
        angle, length, phase = rng.uniform(0, np.pi), rng.uniform(3, 16), rng.uniform(0, 2 * np.pi)
        texture += np.sin(2 * np.pi * (rows * np.sin(angle) + columns * np.cos(angle)) / length + phase)
    texture += 0.5 * rng.standard_normal(texture.shape)
    return np.clip(0.4 + 0.13 * texture, 0, 1).astype(np.float32)


def _put(image, label, picture, k, rng):
    """Draw one thing over what is there: dimmed to 60 % to 100 %, mirrored every second time."""
    height, width = picture.shape
    picture = picture[:, ::-1] if rng.random() < 0.5 else picture
    top, left = rng.integers(image.shape[0] - height + 1), rng.integers(image.shape[1] - width + 1)
    place = slice(top, top + height), slice(left, left + width)
    inside = picture > OUTLINE
    image[place][inside] = (picture * rng.uniform(0.6, 1.0))[inside]
    label[place][inside] = k
