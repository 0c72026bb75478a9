"""Module and Parameter: a network is a tree of modules with parameters at its leaves, found from plain attributes."""

import contextlib
import contextvars
import copy
import inspect
from collections.abc import Iterator

import numpy as np

from lightnn.tensor import Tensor

running = contextvars.ContextVar("lightnn_running_module", default=None)  # the innermost Module that is being called


@contextlib.contextmanager
def evaluating(*models: "Module") -> Iterator[None]:
    """Within this context the models are in eval mode; afterwards each of their modules has its mode back."""
    modes = [(m, m.training) for model in models for m in model.modules()]
    try:
        for model in models:
            model.eval()
        yield
    finally:
        for m, mode in modes:
            m.training = mode


class Parameter(Tensor):
    """A trained weight: p.data is its array, the Tensor p() is what the network uses of it, p.support is None or a Mask
    with the bool array p.support.mask, and p.values is None or a Codebook:

        w = p() = support(values(latent)),          latent = p.data

    `p.data` is the float array that the optimizer updates. `values` (a transform such as Codebook) says what may be
    stored, `support` (such as Mask) where the weight may be non-zero; both are None for a plain weight.
    Layers always use `p()`.
    """

    __slots__ = ("support", "values")

    def __init__(self, data):
        super().__init__(data, requires_grad=True)
        self.values = self.support = None

    def __call__(self) -> Tensor:
        w = self if self.values is None else self.values(self)
        return w if self.support is None else self.support(w)

    def __deepcopy__(self, memo):
        twin = memo[id(self)] = Parameter(self.data.copy())
        twin.values, twin.support = copy.deepcopy(self.values, memo), copy.deepcopy(self.support, memo)
        twin.requires_grad, twin.grad = self.requires_grad, None if self.grad is None else self.grad.copy()
        return twin

    def members(self) -> Iterator[tuple[str, "Module"]]:
        for name in ("values", "support"):
            if getattr(self, name) is not None:
                yield name, getattr(self, name)

    def __repr__(self):
        dtype = "" if self.dtype == np.float32 else f", {self.dtype}"
        slots = "".join(f", {name}={transform!r}" for name, transform in self.members())
        frozen = "" if self.requires_grad else ", requires_grad=False"
        return f"Parameter(shape={self.shape}{dtype}{slots}{frozen})"


class Module:
    """A part of a network. A subclass sets its parameters and parts as attributes and defines `forward`.

    Attributes that are Parameters, Modules, or lists of them belong to the tree, in the order they were set.
    `buffers` names the array attributes that are saved but not trained (running statistics, masks).
    """

    buffers = ()
    training = True

    def __call__(self, *args):
        token = running.set(self)
        try:
            return self.forward(*args)
        finally:
            running.reset(token)

    def forward(self, *args):
        raise NotImplementedError(f"{type(self).__name__} defines no forward")

    def members(self) -> Iterator[tuple[str, "Parameter | Module"]]:
        """Yield (name, Parameter or Module) for each direct member, in definition order."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter | Module):
                yield name, value
            elif isinstance(value, list | tuple):
                yield from ((f"{name}.{i}", v) for i, v in enumerate(value) if isinstance(v, Parameter | Module))

    def _walk(self, prefix=""):
        """Yield (dotted name, Parameter or Module) for this tree, depth first, each object once."""
        seen, stack = set(), [(prefix, self)]
        while stack:
            name, node = stack.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            yield name, node
            stack.extend([(f"{name}.{n}" if name else n, m) for n, m in node.members()][::-1])

    def named_modules(self) -> Iterator[tuple[str, "Module"]]:
        return ((name, m) for name, m in self._walk() if isinstance(m, Module))

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        return ((name, p) for name, p in self._walk() if isinstance(p, Parameter))

    def modules(self) -> Iterator["Module"]:
        return (m for _, m in self.named_modules())

    def parameters(self) -> Iterator[Parameter]:
        return (p for _, p in self.named_parameters())

    def train(self, mode: bool = True) -> "Module":
        for m in self.modules():
            m.training = mode
        return self

    def eval(self) -> "Module":
        return self.train(False)

    def _slots(self):
        """Yield (name, owner, attribute) for every array of the state: parameters' data and modules' buffers."""
        for name, node in self._walk():
            if isinstance(node, Parameter):
                yield name, node, "data"
            else:
                yield from ((f"{name}.{b}" if name else b, node, b) for b in node.buffers)

    def state_dict(self) -> dict[str, np.ndarray]:
        """{name: copy of the array} for every parameter and buffer, by torchvision's names."""
        return {name: np.array(getattr(owner, attribute)) for name, owner, attribute in self._slots()}

    def load_state_dict(self, state: dict[str, np.ndarray], strict: bool = True) -> None:
        """Copy the arrays of `state` into the module.

        KeyError lists the names that are missing or unexpected (only if strict), ValueError the mis-shaped ones too;
        nothing is changed then.
        """
        slots = {name: (owner, attribute) for name, owner, attribute in self._slots()}
        missing = [name for name in slots if name not in state]
        unexpected = [name for name in state if name not in slots]
        shared = [name for name in slots if name in state]
        shapes = {name: (np.shape(getattr(*slots[name])), np.shape(state[name])) for name in shared}
        wrong = [f"{name}: want {want}, got {got}" for name, (want, got) in shapes.items() if want != got]
        if wrong or (strict and (missing or unexpected)):
            kinds = (("missing", missing), ("unexpected", unexpected), ("mis-shaped", wrong))
            message = "; ".join(f"{kind} {', '.join(names)}" for kind, names in kinds if names)
            raise (ValueError if wrong else KeyError)("load_state_dict: " + message)
        for name in shared:
            owner, attribute = slots[name]
            dtype = np.asarray(getattr(owner, attribute)).dtype
            setattr(owner, attribute, np.array(state[name], dtype))

    def __repr__(self):
        shown = ((name, m) for name, m in self.members() if isinstance(m, Module) or list(m.members()))
        lines = [f"{name}: {m!r}".replace("\n", "\n  ") for name, m in shown]
        options = self.extra_repr()
        inside = "\n  ".join(["", *([options] if options else []), *lines]) + "\n" if lines else options
        return f"{type(self).__name__}({inside})"

    def fit_sizes(self) -> None:
        """Take the constructor's sizes from the arrays: called after surgery has removed channels from them."""

    def extra_repr(self) -> str:
        """The constructor's arguments, for printing: plain attributes that differ from their defaults."""
        shown = []
        for name, argument in inspect.signature(type(self).__init__).parameters.items():
            value, default = vars(self).get(name), argument.default
            if value is None and default is True:
                shown.append(f"{name}=False")
            elif isinstance(value, int | float | tuple) and value not in (default, (default, default)):
                shown.append(f"{name}={value!r}")
        return ", ".join(shown)
