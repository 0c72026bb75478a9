"""The ways in which a network is quantized, and what each does to it before it is trained on."""

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lightnn import compress, models, nn
from lightnn.nn.soft import SoftSteps

ONE_BIT, TWO_BITS = (-1, 1), (-1, 0, 1)
FIVE, SEVEN = (-2, -1, 0, 1, 2), (-4, -2, -1, 0, 1, 2, 4)


@dataclass(frozen=True)
class Way:
    """Y: the levels of the inner layers' weights; None: floats. bits: of what these layers read; None: floats.

    biases: where the steps begin. one: one quantizer for all layers, not one a layer. scratch: from new weights, not
    from the reference's. rate: T = rate * epoch, for weights; activation_rate: for activations, whose gradient at a
    high T is long (training.py). taught: half of the loss is the teacher's. once: for one seed only.
    short: on fewer images, as all that is compared in the ablations.
    """

    Y: tuple[int, ...] | None = None
    bits: int | None = None
    biases: Callable = compress.kmeans_biases
    one: bool = False
    scratch: bool = False
    rate: float = 20.0
    activation_rate: float = 5.0
    taught: bool = False
    once: bool = False
    short: bool = False

    @property
    def weights(self) -> str:
        """The bits of the weights, as the tables show them."""
        return {None: "32", ONE_BIT: "1", TWO_BITS: "2", FIVE: "3", SEVEN: "3"}[self.Y]

    @property
    def activations(self) -> str:
        return str(self.bits or 32)


CONTROL, SHORT_CONTROL = "float control", "float control, short"
NEW_FLOATS, TAUGHT_FLOATS = "floats from scratch", "floats, taught"
LONG = {
    CONTROL: Way(),
    "1 bit": Way(ONE_BIT),
    "2 bits": Way(TWO_BITS),
    "3 bits, +-2": Way(FIVE, once=True),
    "3 bits, +-4": Way(SEVEN),
    "activations of 2 bits": Way(bits=2, once=True),
    "1 bit, activations of 2": Way(ONE_BIT, bits=2, once=True),
    "1 bit, activations of 1": Way(ONE_BIT, bits=1, activation_rate=10.0, once=True),
}
ABLATED = {
    SHORT_CONTROL: Way(),
    "1 bit, short": Way(ONE_BIT, once=True),
    "2 bits, short": Way(TWO_BITS),
    "3 bits, +-4, short": Way(SEVEN),
    "2 bits, linear": Way(TWO_BITS, biases=compress.linear_biases),
    "3 bits, +-4, linear": Way(SEVEN, biases=compress.linear_biases),
    "2 bits, one quantizer": Way(TWO_BITS, one=True),
    "3 bits, +-4, from scratch": Way(SEVEN, scratch=True),
    NEW_FLOATS: Way(scratch=True),
    "2 bits, T = 5 epoch": Way(TWO_BITS, rate=5.0),
    "2 bits, T = 10 epoch": Way(TWO_BITS, rate=10.0),
    "2 bits, T = 40 epoch": Way(TWO_BITS, rate=40.0),
    "1 bit, taught": Way(ONE_BIT, taught=True, once=True),
    TAUGHT_FLOATS: Way(taught=True, once=True),
}
WAYS = LONG | {name: dataclasses.replace(way, short=True) for name, way in ABLATED.items()}


def inner(model: nn.Module) -> dict[str, nn.Module]:
    """{path: layer} between the first and the last convolution or fully connected layer."""
    layers = [(path, m) for path, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    return dict(layers[1:-1])


def soften_weights(model: nn.Module, way: Way) -> nn.Module:
    """A copy of the model whose inner layers have soft quantizers; a plain copy if the way leaves weights floats."""
    twin = copy.deepcopy(model)
    weights = [layer.weight for layer in inner(twin).values()]
    if way.Y is not None and way.one:
        together = compress.soft_quantizer(np.concatenate([p.data.ravel() for p in weights]), way.Y, way.biases)
        for p in weights:
            p.values = together
    elif way.Y is not None:
        for p in weights:
            compress.use_soft_quantizer(p, way.Y, way.biases)
    return twin


def soften_activations(model: nn.Module, way: Way, x: np.ndarray) -> nn.Module:
    """A copy of the model with a SoftActivation before each inner layer, where the shortcut does not pass it."""
    before = {path: nn.Sequential(nn.SoftActivation(way.bits), layer) for path, layer in inner(model).items()}
    twin = models.replace(model, before)
    compress.start_soft_activations(twin, x)
    return twin


def freeze_weights(model: nn.Module) -> None:
    """The inner weights stay what they are, hard, with their quantizers."""
    for layer in inner(model).values():
        for p in (layer.weight, *layer.weight.values.parameters()):
            p.requires_grad = False
        layer.weight.values.temperature = np.full(1, np.inf, np.float32)


def release_weights(model: nn.Module) -> None:
    for p in model.parameters():
        p.requires_grad = True


def soft_activations(model: nn.Module) -> nn.ModuleList:
    return nn.ModuleList([m for m in model.modules() if isinstance(m, nn.SoftActivation)])


def soften(model: nn.Module) -> None:
    """In eval mode, let the quantizers alone compute their soft form."""
    model.eval()
    for m in model.modules():
        if isinstance(m, SoftSteps):
            m.training = True
