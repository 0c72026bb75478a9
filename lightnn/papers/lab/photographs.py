"""Crops of scikit-image's photographs, in folds: a photograph is never tested by what it has calibrated.

There is no ImageNet here, and there are few photographs. So each of them is a test photograph once: the photographs are
dealt out to three folds in the order of their names, and what needs images (ranges, biases, batch norms) gets crops of
the other two folds. Both views of the motorcycle count as one photograph.
"""

from typing import NamedTuple

import numpy as np

from lightnn.data.photographs import PHOTOGRAPHS, load_photograph, to_imagenet
from lightnn.journal import draws

FOLDS = 3
TWINS = {"motorcycle_right": "motorcycle_left"}  # two pictures of one thing stay in one fold
LEAST_AREA = 0.35  # of the largest square in the photograph


class Fold(NamedTuple):
    """Images (N, 3, 224, 224) for calibration, and those to test; names: the photograph of each of the latter."""

    calibration: np.ndarray
    test: np.ndarray
    names: tuple[str, ...]


def fold_of(name: str) -> int:
    """The fold in which a photograph is tested."""
    scenes = [photo for photo in PHOTOGRAPHS if photo not in TWINS]
    return scenes.index(TWINS.get(name, name)) % FOLDS


def crops(name: str, count: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Squares of the photograph, of random size and place, half of them mirrored, as a network takes them."""
    photo, made = load_photograph(name), []
    for _ in range(count):
        side = int(min(photo.shape[:2]) * np.sqrt(rng.uniform(LEAST_AREA, 1)))
        top, left = (rng.integers(0, n - side + 1) for n in photo.shape[:2])
        square = photo[top : top + side, left : left + side]
        made.append(to_imagenet(square[:, ::-1] if rng.random() < 0.5 else square))
    return made


def folds(seed: int, calibration: int, test: int) -> list[Fold]:
    """The three folds; calibration, test: crops of each photograph."""
    drawn = {
        what: {name: crops(name, count, draws(seed, f"{what} {name}")) for name in PHOTOGRAPHS}
        for what, count in (("calibration", calibration), ("test", test))
    }
    made = []
    for k in range(FOLDS):
        mine = [name for name in PHOTOGRAPHS if fold_of(name) == k]
        others = [name for name in PHOTOGRAPHS if fold_of(name) != k]
        seen = np.stack([x for name in others for x in drawn["calibration"][name]])
        tested = np.stack([x for name in mine for x in drawn["test"][name]])
        made.append(Fold(seen, tested, tuple(name for name in mine for _ in range(test))))
    return made
