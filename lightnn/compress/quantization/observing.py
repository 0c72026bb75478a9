"""What passes through places of a network while it runs on calibration images."""

import copy
from collections.abc import Callable, Iterable

import numpy as np

from lightnn.models.places import put
from lightnn.nn import FakeQuantize, Identity, Module
from lightnn.tensor import Tensor
from lightnn.training import predict

BATCH_SIZE = 100  # of all runs on calibration images


class Seeing(Module):
    """Shows what comes in and what goes out to see(x, y), arrays. inner: the Module between, or None."""

    def __init__(self, see: Callable[[np.ndarray, np.ndarray], None], inner: Module | None = None):
        self.see, self.inner = see, inner

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.inner is None else self.inner(x)
        self.see(x.data, y.data)
        return y


def check_images(where: str, x: np.ndarray) -> np.ndarray:
    """x as an array. ValueError unless it is a batch of finite numbers."""
    x = np.asarray(x)
    if x.ndim < 2 or not x.size or x.dtype.kind != "f" or not np.isfinite(x).all():
        raise ValueError(f"{where}: want x, a batch of finite floats; got {x.dtype} {x.shape}")
    return x


def inputs_and_outputs(model: Module, path: str, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the module at path reads and what it gives, for a batch x of images."""
    ins, outs, twin = [], [], copy.deepcopy(model)

    def see(x, y):
        ins.append(x)
        outs.append(y)

    put(twin, path, Seeing(see, dict(twin.named_modules())[path]))
    predict(twin, x, batch_size=BATCH_SIZE)
    return np.concatenate(ins), np.concatenate(outs)


def in_floats(model: Module) -> Module:
    """A copy of a quantized network that rounds nothing: latent weights, and no FakeQuantize."""
    twin = without(
        model, [path for path, m in model.named_modules() if isinstance(m, FakeQuantize)], lambda _: Identity()
    )
    for p in twin.parameters():
        p.values = None
    return twin


def without(model: Module, paths: Iterable[str], put_there: Callable[[str], Module]) -> Module:
    """A copy of the model in which put_there(path) stands at each of the paths."""
    twin = copy.deepcopy(model)
    for path in paths:
        put(twin, path, put_there(path))
    return twin
