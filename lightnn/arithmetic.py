"""Arithmetic on plain arrays: each function returns y and one vector-Jacobian product an operand.

That is what `lightnn.tensor.op` expects; `Tensor` makes its operators of them. Broadcasting follows NumPy, and its vjp
is the sum over the broadcast axes (`unbroadcast`). If an operator passes channels on only under conditions, its channel
rule (see `lightnn.declare`) stands beside it.
"""

import numpy as np

from lightnn.declare import joins, same


def unbroadcast(g, shape):
    """Sum g over the axes along which an operand of `shape` was broadcast: the vjp of broadcasting."""
    extra = g.ndim - len(shape)
    axes = (*range(extra), *(i + extra for i, n in enumerate(shape) if n == 1 and g.shape[i + extra] != 1))
    return g.sum(axes, keepdims=True).reshape(shape) if axes else g.reshape(shape)


def add(a, b):
    return a + b, lambda dy: unbroadcast(dy, np.shape(a)), lambda dy: unbroadcast(dy, np.shape(b))


def sub(a, b):
    return a - b, lambda dy: unbroadcast(dy, np.shape(a)), lambda dy: unbroadcast(-dy, np.shape(b))


def mul(a, b):
    return a * b, lambda dy: unbroadcast(dy * b, np.shape(a)), lambda dy: unbroadcast(dy * a, np.shape(b))


def channels_of_mul(call):
    """0 times a number is 0; a product of two feature maps ties their channels."""
    a, b = call.arrays
    number = next((n for n in (a, b) if np.size(n) == 1 and not call.known(n)), None)
    return joins(call) if number is None else call.ids(b if number is a else a)


def div(a, b):
    y = a / b
    return y, lambda dy: unbroadcast(dy / b, np.shape(a)), lambda dy: unbroadcast(-dy * y / b, np.shape(b))


def channels_of_div(call):
    """A feature map divided by a number; a number divided by a feature map is not 0 for 0."""
    a, b = call.arrays
    return call.ids(a) if np.size(b) == 1 and call.known(a) else None


def neg(a):
    return -a, lambda dy: -dy


def pow(a, *, exponent):
    return a**exponent, lambda dy: dy * exponent * a ** (exponent - 1) if exponent else np.zeros_like(dy)


def exp(a):
    y = np.exp(a)
    return y, lambda dy: dy * y


def log(a):
    return np.log(a), lambda dy: dy / a


def sqrt(a):
    y = np.sqrt(a)
    return y, lambda dy: dy / (2 * y)


def absolute(a):
    return np.abs(a), lambda dy: dy * np.sign(a)


def matmul(a, b):
    """a (..., m, k) @ b (..., k, n), with NumPy's rules for 1-D operands."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError(f"matmul: want at least one axis each, got shapes {np.shape(a)} and {np.shape(b)}")
    A = a[None, :] if a.ndim == 1 else a
    B = b[:, None] if b.ndim == 1 else b
    y = a @ b

    def expand(dy):
        dy = dy[..., None] if b.ndim == 1 else dy
        return dy[..., None, :] if a.ndim == 1 else dy

    def vjp_a(dy):
        return unbroadcast(expand(dy) @ B.swapaxes(-1, -2), A.shape).reshape(a.shape)

    def vjp_b(dy):
        return unbroadcast(A.swapaxes(-1, -2) @ expand(dy), B.shape).reshape(b.shape)

    return y, vjp_a, vjp_b


def getitem(a, *, index):
    def vjp(dy):
        da = np.zeros_like(a)
        if _names_each_once(index):
            da[index] = dy
        else:
            np.add.at(da, index, dy)
        return da

    return np.array(a[index]), vjp


def _names_each_once(index):
    """Whether an index is of ints and slices only, so that it picks no element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(i is Ellipsis or (isinstance(i, int | np.integer | slice) and not isinstance(i, bool)) for i in parts)


def channels_of_getitem(call):
    """A crop of the feature maps leaves images and channels whole: x[:, :, 1:, ::2]."""
    index = call.options["index"]
    slices = isinstance(index, tuple) and len(index) > 1 and all(isinstance(i, slice) for i in index)
    return same(call) if slices and index[0] == index[1] == slice(None) else None


def sum(a, *, axis=None, keepdims=False):
    def vjp(dy):
        return np.array(np.broadcast_to(_keepdims(dy, a, axis, keepdims), a.shape))

    return a.sum(axis=axis, keepdims=keepdims), vjp


def channels_of_sum(call):
    """A sum over pixels leaves the channels."""
    ndim, axis = call.arrays[0].ndim, call.options["axis"]
    axes = np.arange(ndim) if axis is None else np.atleast_1d(axis) % ndim
    return same(call) if min(axes) > 1 else None


def max(a, *, axis=None, keepdims=False):
    """The largest element. If several are equal to it, each gets an equal part of the gradient."""
    y = a.max(axis=axis, keepdims=keepdims)

    def vjp(dy):
        hit = a == _keepdims(y, a, axis, keepdims)
        return _keepdims(dy, a, axis, keepdims) * hit / hit.sum(axis=axis, keepdims=True, dtype=a.dtype)

    return y, vjp


def _keepdims(y, a, axis, keepdims):
    """Restore the axes that were reduced, with length 1."""
    if keepdims:
        return y
    return np.reshape(y, (1,) * a.ndim) if axis is None else np.expand_dims(y, axis)


def reshape(a, *, shape):
    return a.reshape(shape), lambda dy: dy.reshape(a.shape)


def transpose(a, *, axes=None):
    return a.transpose(axes), lambda dy: dy.transpose(None if axes is None else np.argsort(np.mod(axes, a.ndim)))
