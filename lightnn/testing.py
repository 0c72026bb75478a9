"""The two laws of lightnn, as functions that a test or a notebook can call.

1. `check_vjp`: an op's vector-Jacobian products agree with finite differences along random directions.
2. `check_codec`: what a weight transform stores gives back, bit for bit, what it computes.
"""

from collections.abc import Callable

import numpy as np

from lightnn.tensor import Tensor


def check_vjp(fn: Callable, *args, rng=271828, eps=1e-6, tol=1e-6, directions=3, **options) -> None:
    """Check the gradients of `fn(*args, **options)` for every float64 array in `args`; other arguments are passed on.

    For random dy and d, the gradient g = vjp(dy) must satisfy

        <g, d> = <dy, f(x + eps d) - f(x - eps d)> / (2 eps)

    within `tol` (relative to the larger side, absolute below 1). AssertionError names the argument's number. Choose
    points away from kinks (ReLU at 0), and draw them from another seed: dy equal to a point hides a wrong transpose.
    """
    rng = np.random.default_rng(rng)
    where = [i for i, a in enumerate(args) if isinstance(a, np.ndarray) and a.dtype == np.float64]
    if not where:
        raise ValueError("check_vjp: want at least one float64 array to differentiate")
    leaves = [Tensor(a.copy(), requires_grad=i in where) if i in where else a for i, a in enumerate(args)]
    y = fn(*leaves, **options)
    dy = np.asarray(rng.standard_normal(y.shape))
    if not y.requires_grad:
        raise AssertionError(f"check_vjp: the output of {_name(fn)} does not depend on its arguments by the tape")
    y.backward(dy)
    for i in where:
        if leaves[i].grad is None:
            raise AssertionError(f"check_vjp: {_name(fn)} gives no gradient for argument {i}")
        for _ in range(directions):
            d = np.asarray(rng.standard_normal(args[i].shape))
            ahead, behind = (fn(*_moved(args, where, i, s * eps * d), **options).data for s in (1, -1))
            want = float(np.vdot(dy, ahead - behind)) / (2 * eps)
            _check_equal(
                float(np.vdot(leaves[i].grad, d)), want, tol, f"{_name(fn)}, argument {i} of shape {args[i].shape}"
            )


def _check_equal(got, want, tol, where):
    """Compare a vjp along a direction with the finite difference along it."""
    if not abs(want - got) <= tol * max(1.0, abs(want), abs(got)):
        raise AssertionError(
            f"check_vjp: {where}: the finite difference along a random direction is {want:.10g}, "
            f"the vjp gives {got:.10g}"
        )


def _moved(args, where, i, step):
    """The arguments as check_vjp passes them, with argument i moved by step."""
    return [Tensor(a + step if j == i else a) if j in where else a for j, a in enumerate(args)]


def _name(fn):
    return getattr(fn, "__name__", repr(fn))


def check_codec(parameter):
    """Check decode(encode(p)) == p(), bit for bit, for a Parameter with whatever `values` and `support` it has.

    Also checks that encoding changes nothing. Raises AssertionError with the first element that differs.
    """
    from lightnn.compress import decode, encode  # the law is used below compress too, where it is not called

    want = parameter().data
    got = decode(encode(parameter))
    if got.shape != want.shape or got.dtype != want.dtype:
        raise AssertionError(
            f"check_codec: want {want.dtype} of shape {want.shape}; decode gave {got.dtype} of shape {got.shape}"
        )
    differ = np.flatnonzero(_bits(got) != _bits(want))
    if differ.size:
        where = tuple(int(i) for i in np.unravel_index(differ[0], want.shape))
        raise AssertionError(
            f"check_codec: {differ.size} of {want.size} elements differ; the first is {where}: "
            f"forward gives {want[where]!r}, decode(encode) gives {got[where]!r}"
        )
    if (_bits(parameter().data) != _bits(want)).any():
        raise AssertionError("check_codec: encoding changed the parameter")


def _bits(a):
    """The array's bit patterns, so that NaN equals itself and -0.0 differs from 0.0."""
    return np.ascontiguousarray(a).reshape(-1).view(f"u{a.dtype.itemsize}")
