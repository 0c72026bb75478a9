"""Non-linearities as layers, and the noise of training: dropout and stochastic depth."""

from lightnn import functional as F
from lightnn import options
from lightnn.functional.activation import interval
from lightnn.nn import init
from lightnn.nn.module import Module
from lightnn.tensor import Tensor

Rng = options.Rng | None


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class ReLU6(Module):
    """min(max(x, 0), 6)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


class Hardtanh(Module):
    """x clamped to [min_val, max_val]."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0):
        self.min_val, self.max_val = interval("Hardtanh", min_val, max_val)

    def forward(self, x: Tensor) -> Tensor:
        return F.hardtanh(x, min_val=self.min_val, max_val=self.max_val)


class Hardswish(Module):
    """x relu6(x + 3) / 6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardswish(x)


class Hardsigmoid(Module):
    """relu6(x + 3) / 6."""

    def forward(self, x: Tensor) -> Tensor:
        return F.hardsigmoid(x)


class SiLU(Module):
    """x sigmoid(x)."""

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Dropout(Module):
    """In training, zero each element with probability p. It draws from its own generator, made from rng."""

    def __init__(self, p: float = 0.5, *, rng: Rng = None):
        self.p, self.rng = options.probability("Dropout: p", p), init.generator(rng)

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, p=self.p, training=self.training, rng=self.rng)


class StochasticDepth(Module):
    """In training, zero each image of a residual branch with probability p. It draws as Dropout does."""

    def __init__(self, p: float, *, rng: Rng = None):
        self.p, self.rng = options.probability("StochasticDepth: p", p), init.generator(rng)

    def forward(self, x: Tensor) -> Tensor:
        return F.stochastic_depth(x, p=self.p, training=self.training, rng=self.rng)
