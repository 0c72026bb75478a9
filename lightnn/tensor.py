"""Tensor, the tape and `op`: reverse-mode automatic differentiation in one file.

A `Tensor` is a NumPy array that remembers how it was computed. `op` takes a function on arrays that returns its value
and its vector-Jacobian products,

    y, vjp_x, vjp_w, ...        with        vjp_x(dy) = (dy/dx)^T dy,

and makes it a differentiable function on Tensors; it is the only way to add one. `Tensor.backward` walks the tape from
the newest entry to the oldest (Linnainmaa 1970; Baydin et al. 2018, arXiv 1502.05767, section 3.2).
"""

import contextlib
import contextvars
import functools
import heapq
import inspect
import itertools
import numbers
from collections.abc import Callable, Iterator

import numpy as np

from lightnn import arithmetic as rules
from lightnn.declare import Declaration, joins, reshapes, same
from lightnn.options import flag

_recording = contextvars.ContextVar("lightnn_recording", default=True)
_watcher = contextvars.ContextVar("lightnn_watcher", default=None)
_clock = itertools.count(1)


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Within this context (or a function decorated with it) nothing is recorded on the tape."""
    token = _recording.set(False)
    try:
        yield
    finally:
        _recording.reset(token)


@contextlib.contextmanager
def watching(watcher: Callable[[Declaration, list, dict, np.ndarray], None]) -> Iterator[None]:
    """Within this context watcher(declaration, arrays, options, y) is called after each op: metrics.trace counts what
    a network computes, compress.channels finds out which channels depend on each other. options include defaults."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def op(fn=None, /, *, channels=None, keeps_zero=False, finishes_layer=False, weights=(), macs=None):
    """Make a differentiable function of Tensors from `fn(*arrays, **options)`, which gets NumPy arrays and returns the
    result y and, for each array, a function from dL/dy to the gradient of that array: `@op`, or `@op(channels=...)`.

    Positional arguments are the differentiable arrays (None is allowed for one that is absent, such as a bias),
    keyword-only arguments are options. `fn` gets ndarrays and returns y and one vjp an argument: a function from dy
    (the shape of y) to the gradient of that argument (the argument's shape), or None if it has no gradient, as class
    labels. A vjp is called at most once, if its argument needs a gradient; it returns dy, a view of dy or a new array.

    The keywords declare what watchers read (see `lightnn.declare.Declaration`); weights are argument names.
    """

    def make(fn):
        names = list(inspect.signature(fn).parameters)
        if unknown := set(weights) - set(names):
            raise ValueError(f"op: {fn.__name__} has no argument {unknown.pop()!r}")
        positions = tuple(map(names.index, weights))
        return _recorded(fn, Declaration(fn.__name__.strip("_"), channels, keeps_zero, finishes_layer, positions, macs))

    return make if fn is None else make(fn)


def _recorded(fn, declaration):
    """fn as a function on Tensors: each call is shown to the watcher and recorded on the tape."""
    parameters = inspect.signature(fn).parameters.values()
    named = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty}

    @functools.wraps(fn)
    def call(*args, **options):
        for p in named[len(args) :]:  # an array given by name, or left out
            if p.name not in options and p.default is p.empty:
                break
            args = (*args, options.pop(p.name, p.default))
        arrays = [_array(a) for a in args]
        y, *vjps = fn(*arrays, **options)
        out = Tensor(y)
        if watcher := _watcher.get():
            watcher(declaration, arrays, defaults | options, out.data)
        if _recording.get():
            inputs = [(a, vjp) for a, vjp in zip(args, vjps, strict=True) if vjp and _needs_grad(a)]
            if inputs:
                out.requires_grad, out._inputs, out._time, out._op = True, inputs, next(_clock), declaration.name
        return out

    return call


def _array(a):
    if isinstance(a, Tensor):
        return a.data
    if isinstance(a, np.generic):
        return a.item()  # a Python number does not turn a float32 array into float64
    return a if a is None or isinstance(a, numbers.Number) else np.asarray(a)


def _needs_grad(a):
    return isinstance(a, Tensor) and a.requires_grad


_pow, _transpose, _max = op(rules.pow), op(rules.transpose), op(rules.max)
_getitem = op(rules.getitem, channels=rules.channels_of_getitem, keeps_zero=True)
_reshape = op(rules.reshape, channels=reshapes, keeps_zero=True)
_sum = op(rules.sum, channels=rules.channels_of_sum, keeps_zero=True)


def _compared(compare):
    """An elementwise comparison: a Tensor of bools, off the tape."""

    def method(self, other):
        if not isinstance(other, Tensor | np.ndarray | np.generic | numbers.Number | list | tuple):
            return NotImplemented
        return Tensor(compare(self.data, other.data if isinstance(other, Tensor) else other))

    return method


class Tensor:
    """An array that may need a gradient. `data` is a NumPy array (a Python list becomes float32), `grad` an array of
    the same shape or None; only leaves (Tensors that no op made) keep their gradient."""

    __slots__ = ("_inputs", "_op", "_time", "data", "grad", "requires_grad")
    __array_ufunc__ = None  # so that ndarray + Tensor calls Tensor.__radd__

    def __init__(self, data, requires_grad: bool = False):
        if isinstance(data, Tensor):
            data = data.data
        listed = not isinstance(data, np.ndarray | np.generic)
        data = np.asarray(data)
        if listed and data.dtype == np.float64:
            data = data.astype(np.float32)
        if data.dtype.kind not in "fiub":
            raise TypeError(f"Tensor: want numbers, got an array of dtype {data.dtype}")
        requires_grad = flag("Tensor: requires_grad", requires_grad)
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(f"Tensor: only floating-point data can require a gradient, got dtype {data.dtype}")
        self.data, self.grad, self.requires_grad = data, None, requires_grad
        self._inputs, self._time, self._op = (), 0, None

    shape = property(lambda self: self.data.shape)
    ndim = property(lambda self: self.data.ndim)
    size = property(lambda self: self.data.size)
    dtype = property(lambda self: self.data.dtype)
    T = property(lambda self: self.transpose())

    def backward(self, grad: "Tensor | np.ndarray | None" = None) -> None:
        """Add d(self)/d(leaf) to `.grad` of every leaf; `grad` (self.shape) defaults to 1 if self is a single number.
        This frees the tape, so a second call raises RuntimeError."""
        if not self.requires_grad:
            raise RuntimeError("backward: this Tensor does not depend on anything that requires a gradient")
        if grad is None and self.data.size != 1:
            raise ValueError(f"backward: want a single number or a gradient; got shape {self.shape} and none")
        dy = np.ones_like(self.data) if grad is None else np.asarray(_array(grad), self.data.dtype)
        if dy.shape != self.shape:
            raise ValueError(f"backward: want a gradient of shape {self.shape}, got {dy.shape}")
        if not self._time:
            _accumulate(self, dy.copy())
            return
        grads, heap = {self._time: (self, dy)}, [-self._time]
        while heap:
            node, dy = grads.pop(-heapq.heappop(heap))
            for parent, g in node._use_tape(dy):
                if not parent._time:
                    _accumulate(parent, g.copy() if np.may_share_memory(g, dy) else g)
                elif parent._time in grads:
                    grads[parent._time] = (parent, grads[parent._time][1] + g)
                else:
                    grads[parent._time] = (parent, g)
                    heapq.heappush(heap, -parent._time)

    def _use_tape(self, dy):
        """Yield (input, gradient) for each recorded input, and forget the input."""
        if self._inputs is None:
            raise RuntimeError(f"backward: the tape behind `{self._op}` was freed by an earlier backward")
        inputs, self._inputs = self._inputs, None
        while inputs:
            parent, vjp = inputs.pop()
            g = vjp(dy)
            if np.shape(g) != parent.shape:
                raise ValueError(f"vjp of `{self._op}`: want a gradient of shape {parent.shape}, got {np.shape(g)}")
            yield parent, np.asarray(g, parent.data.dtype)

    def numpy(self) -> np.ndarray:
        return self.data

    def detach(self) -> "Tensor":
        """The same array, off the tape."""
        return Tensor(self.data)

    def item(self) -> float:
        return self.data.item()

    exp, log, sqrt = op(rules.exp), op(rules.log), op(rules.sqrt, channels=same, keeps_zero=True)
    __add__ = __radd__ = op(rules.add, channels=joins, keeps_zero=True)
    __sub__ = op(rules.sub, channels=joins, keeps_zero=True)
    __mul__ = __rmul__ = op(rules.mul, channels=rules.channels_of_mul, keeps_zero=True)
    __truediv__ = op(rules.div, channels=rules.channels_of_div, keeps_zero=True)
    __matmul__ = op(rules.matmul, macs=lambda y, a, b: y.size * a.shape[-1])
    __neg__ = op(rules.neg, channels=same, keeps_zero=True)
    __abs__ = op(rules.absolute, channels=same, keeps_zero=True)

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return Tensor(_like(other, self)) / self

    def __rmatmul__(self, other):
        return Tensor(other) @ self

    def __pow__(self, exponent):
        return _pow(self, exponent=exponent)

    def __getitem__(self, index):
        return _getitem(self, index=index)

    def sum(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        return _sum(self, axis=axis, keepdims=keepdims)

    def max(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        return _max(self, axis=axis, keepdims=keepdims)

    def mean(self, axis: int | tuple[int, ...] | None = None, keepdims: bool = False) -> "Tensor":
        total = self.sum(axis, keepdims)
        return total * (total.size / self.size)

    def reshape(self, *shape: int) -> "Tensor":
        return _reshape(self, shape=shape[0] if isinstance(shape[0], tuple) else shape)

    def transpose(self, *axes: int) -> "Tensor":
        return _transpose(self, axes=axes or None)

    def __len__(self):
        return len(self.data)

    def __bool__(self):
        if self.data.size != 1:
            raise ValueError(
                f"bool: want a Tensor of one number, got shape {self.shape}; ask .data.all() or .data.any()"
            )
        return bool(self.data.item())

    __eq__ = _compared(np.equal)
    __ne__ = _compared(np.not_equal)
    __lt__ = _compared(np.less)
    __le__ = _compared(np.less_equal)
    __gt__ = _compared(np.greater)
    __ge__ = _compared(np.greater_equal)
    __hash__ = object.__hash__  # a Tensor is a key by what it is, not by its numbers

    def __array__(self, dtype=None, copy=None):
        return np.array(self.data, dtype=dtype, copy=copy)

    def __repr__(self):
        made = f", op={self._op}" if self._op else ", requires_grad=True" if self.requires_grad else ""
        return f"{type(self).__name__}({self.data!r}{made})"


def _accumulate(leaf, g):
    if leaf.grad is None:
        leaf.grad = g
    else:
        leaf.grad = np.asarray(leaf.grad + g)


def _like(number, tensor):
    return np.asarray(number, tensor.dtype) if isinstance(number, numbers.Number) else number
