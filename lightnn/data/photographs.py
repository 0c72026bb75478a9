"""Photographs: read from files, cut and resized as networks for ImageNet want them, and named by its 1,000 classes.

    x = to_imagenet(read_photograph("cat.jpg"))[None]     (1, 3, 224, 224), what a network takes

Pillow reads the files. It comes with the group `photos`, as does scikit-image, some of whose photographs
`load_photograph` finds. Nothing is downloaded.
"""

import functools
import importlib.util
import os
import pathlib

import numpy as np

from lightnn import options

__all__ = ["PHOTOGRAPHS", "imagenet_classes", "load_photograph", "read_photograph", "resize", "to_imagenet"]

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of ImageNet: red, green, blue
BORDER = 32  # a network for 224 x 224 sees the middle 224 of 256 pixels; one for 300 x 300, 300 of 332
SUPPORT = 2  # pixels on each side that a cubic reaches
MOST_PIXELS = 2**26
INSTALL = "pip install -e .[photos]"
PHOTOGRAPHS = {  # what scikit-image's package has: name: file
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cell": "cell.png",
    "chelsea": "chelsea.png",
    "clock": "clock_motion.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "hubble": "hubble_deep_field.jpg",
    "ihc": "ihc.png",
    "moon": "moon.png",
    "motorcycle_left": "motorcycle_left.png",
    "motorcycle_right": "motorcycle_right.png",
    "page": "page.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
}


def read_photograph(path: str | os.PathLike) -> np.ndarray:
    """The photograph in a file (.jpg, .png and others), uint8 (H, W, 3), upright, grey as equal colours, the
    transparent white. ValueError if it is none, or has more than 2^26 pixels."""
    Image, ImageOps = _pillow()
    with open(path, "rb") as file:  # an OSError here is about the file, one below about what it holds
        try:
            with Image.open(file) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise ValueError(f"want at most {MOST_PIXELS:,} pixels, got {image.width} x {image.height}")
                image = ImageOps.exif_transpose(image)
                if image.has_transparency_data:
                    image = image.convert("RGBA")
                    image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
                return np.array(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            what = "it is no picture that Pillow knows" if "cannot identify" in str(error) else error
            raise ValueError(f"{path}: {what}") from None


def _pillow():
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ValueError(f"reading photographs needs Pillow, which is not installed: {INSTALL}") from None
    return Image, ImageOps


def load_photograph(name: str) -> np.ndarray:
    """One of PHOTOGRAPHS, uint8 (H, W, 3). ValueError says what to do if scikit-image is not installed."""
    name = options.one_of("load_photograph: name", name, list(PHOTOGRAPHS))
    return read_photograph(folder_of("skimage", "scikit-image") / "data" / PHOTOGRAPHS[name])


def folder_of(package: str, project: str) -> pathlib.Path:
    """Where an installed package is, without importing it. ValueError says how to install the project that has it."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ValueError(f"want the package {project}, which is not installed: {INSTALL}")
    return pathlib.Path(found.submodule_search_locations[0])


def to_imagenet(photo: np.ndarray, size: int = 224) -> np.ndarray:
    """The middle of a photograph, uint8 (H, W, 3), as a network takes it: float32 (3, size, size).

    The middle square has size / (size + 32) of the shorter side, and is resized to size x size; each colour then loses
    its mean over ImageNet and is divided by its standard deviation."""
    photo, size = _checked("to_imagenet", photo), options.count("to_imagenet: size", size, at_most=4096)
    side = max(1, round(min(photo.shape[:2]) * size / (size + BORDER)))
    top, left = ((n - side) // 2 for n in photo.shape[:2])
    square = resize(photo[top : top + side, left : left + side], size, size)
    return np.ascontiguousarray(((square / 255 - MEAN) / STD).transpose(2, 0, 1), np.float32)


def resize(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """The photograph (H, W, 3) with another number of pixels, float64 from 0 to 255 (height, width, 3), by cubics.

    Two matrix products: Y = A_height X A_width^T for each colour."""
    photo = _checked("resize", photo)
    height, width = options.counts("resize", height=height, width=width)
    rows = np.tensordot(cubic_matrix(photo.shape[0], height), photo, (1, 0))
    return np.clip(np.tensordot(rows, cubic_matrix(photo.shape[1], width), (1, 1)).transpose(0, 2, 1), 0, 255)


def cubic_matrix(before: int, after: int) -> np.ndarray:
    """A (after, before): row i has the weights of the pixels that make new pixel i, Keys' cubic (1981) with a = -1/2,

        k(t) = 3/2 |t|^3 - 5/2 t^2 + 1               for |t| <= 1
        k(t) = -1/2 |t|^3 + 5/2 t^2 - 4 |t| + 2      for 1 < |t| < 2

    stretched where the picture shrinks, so that each old pixel counts. Each row's sum is 1."""
    scale = before / after
    middle = (np.arange(after) + 0.5) * scale - 0.5
    t = np.abs(np.arange(before) - middle[:, None]) / max(scale, 1)
    k = np.where(t <= 1, 1.5 * t**3 - 2.5 * t**2 + 1, -0.5 * t**3 + 2.5 * t**2 - 4 * t + 2) * (t < SUPPORT)
    return k / k.sum(1, keepdims=True)


def _checked(where, photo):
    photo = np.asarray(photo)
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        raise ValueError(f"{where}: want a photograph, uint8 (H, W, 3); got {photo.dtype} {photo.shape}")
    return photo


@functools.cache
def imagenet_classes() -> tuple[str, ...]:
    """The names of ILSVRC 2012's 1,000 classes, in the order in which networks number them: the words of WordNet that
    torchvision's metadata have for each."""
    return tuple((pathlib.Path(__file__).parent / "imagenet_classes.txt").read_text(encoding="utf-8").splitlines())
