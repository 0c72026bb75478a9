"""The fully connected layer, y = x w^T + b."""

import numpy as np

from lightnn.declare import mixes
from lightnn.functional import check
from lightnn.kernels.matrix.matmul import matmul
from lightnn.kernels.matrix.matvec import matvec
from lightnn.tensor import op


def _channels_of_linear(call):
    """If x has more axes than (N, I), what is multiplied is not its channels."""
    return mixes(call) if call.arrays[0].ndim == 2 else None


@op(
    channels=_channels_of_linear,
    keeps_zero=True,
    weights=("w", "b"),
    macs=lambda y, x, w, b: y.size * w.shape[1],
)
def linear(x, w, b=None):
    """y = x w^T + b for x (..., I), w (O, I), b (O,) or None; y (..., O). MACs: O * I a row of x."""
    check.floating("linear", x=x, w=w, b=b)
    fits = x.ndim >= 1 and w.ndim == 2 and x.shape[-1] == w.shape[1] and (b is None or b.shape == w.shape[:1])
    check.shape("linear", "x (..., I), w (O, I) and b (O,) or None", fits, x=x, w=w, b=b)
    O, I = w.shape
    rows = x.reshape(-1, I)
    y = _product(rows, w, b)

    def vjp_x(dy):
        return matmul(dy.reshape(-1, O), w).reshape(x.shape)

    def vjp_w(dy):
        return matmul(dy.reshape(-1, O).T, rows)

    def vjp_b(dy):
        return dy.reshape(-1, O).sum(0)

    return y.reshape(*x.shape[:-1], O), vjp_x, vjp_w, vjp_b


def _product(rows, w, b):
    """y (N, O) of rows (N, I), contiguous."""
    if len(rows) == 1 and w.dtype == rows.dtype and (b is None or b.dtype == w.dtype):
        return matvec(np.ascontiguousarray(w), np.ascontiguousarray(rows[0]), b)[None]
    y = np.ascontiguousarray(matmul(w, rows.T).T) if len(rows) <= len(w) else matmul(rows, w.T)
    if b is not None:
        y += b
    return y
