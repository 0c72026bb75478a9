"""SGD with momentum, and Adam. Both follow PyTorch's update rules, number for number."""

from collections.abc import Iterable

import numpy as np

from lightnn import options
from lightnn.nn import Parameter
from lightnn.tensor import Tensor


class Optimizer:
    """Holds the parameters and the learning rate `lr`; `step` updates `p.data` in place where `p.grad` is not None, and
    then puts it back to where p's `values` hold it: w <- project(w - lr ...), as binary weights need it."""

    options = ()  # attributes that `repr` shows after lr, unless they are 0 or False

    def __init__(self, parameters: Iterable[Parameter], lr: float):
        self.parameters = [parameters] if isinstance(parameters, np.ndarray | Tensor) else list(parameters)
        if not all(isinstance(p, Tensor) and p.requires_grad for p in self.parameters) or isinstance(
            parameters, Tensor
        ):
            raise TypeError(f"{type(self).__name__}: want an iterable of Parameters, such as model.parameters()")
        if not self.parameters:
            raise ValueError(f"{type(self).__name__}: want at least one parameter, got none")
        self.lr = _not_negative(type(self).__name__, "lr", lr)

    def zero_grad(self) -> None:
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        for i, p in enumerate(self.parameters):
            if p.grad is not None:
                self.update(i, p)
                if getattr(p, "values", None) is not None:
                    p.values.project(p.data)

    def update(self, i: int, p: Parameter) -> None:
        """Update parameter number i by its gradient."""
        raise NotImplementedError(f"{type(self).__name__} defines no update")

    def __repr__(self):
        shown = {name: getattr(self, name) for name in ("lr", *self.options)}
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in shown.items() if v or k == 'lr')})"


class SGD(Optimizer):
    """v <- momentum v + (g + weight_decay w);  w <- w - lr v, or w - lr (g + momentum v) if nesterov.

    Momentum as in Sutskever et al. 2013, with PyTorch's v that does not contain lr; weight decay is the L2 gradient.
    """

    options = ("momentum", "weight_decay", "nesterov")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ):
        super().__init__(parameters, lr)
        self.momentum = _not_negative("SGD", "momentum", momentum)
        self.weight_decay = _not_negative("SGD", "weight_decay", weight_decay)
        self.nesterov = options.flag("SGD: nesterov", nesterov)
        if self.nesterov and not self.momentum:
            raise ValueError("SGD: nesterov: want momentum > 0 with it, got 0")
        self._velocity = {}

    def update(self, i, p):
        v = self._velocity.get(i)
        if v is None and self.momentum:
            v = self._velocity[i] = np.zeros_like(p.data)
        for part in _parts(p.data):
            self._update(p.data[part], p.grad[part], None if v is None else v[part])

    def _update(self, w, g, v):
        """Update w and v in place."""
        if self.weight_decay:
            g = g + self.weight_decay * w
        if v is not None:
            v *= self.momentum
            v += g
            g = g + self.momentum * v if self.nesterov else v
        w -= self.lr * g


class Adam(Optimizer):
    """m <- b1 m + (1 - b1) g;  s <- b2 s + (1 - b2) g^2;  w <- w - lr (m / (1 - b1^t)) / (sqrt(s / (1 - b2^t)) + eps)
    (Kingma & Ba 2015, arXiv 1412.6980, algorithm 1). weight_decay adds weight_decay * w to g."""

    options = ("betas", "eps", "weight_decay")

    def __init__(
        self,
        parameters: Iterable[Parameter],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ):
        super().__init__(parameters, lr)
        betas = options.listed("Adam: betas", betas, "two numbers >= 0 and < 1", lengths=[2])
        self.betas = tuple(options.number("Adam: betas", b, at_least=0, below=1) for b in betas)
        self.eps = _not_negative("Adam", "eps", eps)
        self.weight_decay = _not_negative("Adam", "weight_decay", weight_decay)
        self._moments = {}

    def update(self, i, p):
        t, m, s = self._moments.get(i) or (0, np.zeros_like(p.data), np.zeros_like(p.data))
        self._moments[i] = t + 1, m, s
        for part in _parts(p.data):
            self._update(p.data[part], p.grad[part], t + 1, m[part], s[part])

    def _update(self, w, g, t, m, s):
        """Update w, m and s in place."""
        b1, b2 = self.betas
        g = g + self.weight_decay * w if self.weight_decay else g
        m[...] = _between(m, g, 1 - b1)
        s *= b2
        s += (1 - b2) * g * g
        w -= self.lr / (1 - b1**t) * m / (np.sqrt(s / (1 - b2**t)) + self.eps)


def _parts(a, count=2**15):
    """Slices of a's first axis, of about `count` numbers each: what is computed on the way stays in the cache."""
    rows = max(1, count * len(a) // a.size) if a.ndim and a.size else 1
    return [slice(i, i + rows) for i in range(0, len(a), rows)] if a.ndim else [...]


def _between(a, b, t):
    """a + t (b - a), from the nearer end: for t = 1 it is b to the last digit."""
    return a + t * (b - a) if t < 0.5 else b - (1 - t) * (b - a)


def _not_negative(name, option, value):
    return options.number(f"{name}: {option}", value, at_least=0)
