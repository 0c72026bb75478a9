"""Pooling: the largest or the mean element under each window."""

import numpy as np

from lightnn.functional import check
from lightnn.functional.conv import add_windows, output_size, pad_hw, windows
from lightnn.tensor import op


@op
def max_pool2d(x, *, kernel_size, stride=None, padding=0):
    """The largest element of each kernel_size window of x (N, C, H, W); stride defaults to kernel_size.

    Padding counts as minus infinity. The gradient goes to the first largest element of each window.
    """
    kernel, stride, padding, out = _window("max_pool2d", x, kernel_size, stride, padding)
    xp = pad_hw(x, padding, -np.inf)
    view = windows(xp, kernel, stride, (1, 1), out)
    flat = np.moveaxis(view, (2, 3), (-2, -1)).reshape(*x.shape[:2], *out, kernel[0] * kernel[1])
    first = flat.argmax(-1)
    y = np.take_along_axis(flat, first[..., None], -1)[..., 0]

    def vjp(dy):
        hit = first[:, :, None] == np.arange(kernel[0] * kernel[1])[:, None, None]
        d = (hit * dy[:, :, None]).reshape(view.shape)
        dxp = np.zeros_like(xp)
        add_windows(dxp, d, stride, (1, 1))
        return _unpad(dxp, x, padding)

    return y, vjp


@op
def avg_pool2d(x, *, kernel_size, stride=None, padding=0):
    """The mean of each kernel_size window of x (N, C, H, W), padding counted as zeros (as PyTorch's default does)."""
    kernel, stride, padding, out = _window("avg_pool2d", x, kernel_size, stride, padding)
    xp, area = pad_hw(x, padding), kernel[0] * kernel[1]
    view = windows(xp, kernel, stride, (1, 1), out)

    def vjp(dy):
        dxp = np.zeros_like(xp)
        add_windows(dxp, np.broadcast_to((dy / area)[:, :, None, None], view.shape), stride, (1, 1))
        return _unpad(dxp, x, padding)

    return view.mean((2, 3), dtype=x.dtype), vjp


def _window(op, x, kernel_size, stride, padding):
    check.floating(op, x=x)
    check.shape(op, "x (N, C, H, W)", x.ndim == 4, x=x)
    kernel = check.pair(kernel_size, name=f"{op}: kernel_size", at_least=1)
    stride = kernel if stride is None else check.pair(stride, name=f"{op}: stride", at_least=1)
    padding = check.pair(padding, name=f"{op}: padding")
    if any(2 * p > k for p, k in zip(padding, kernel)):
        raise ValueError(f"{op}: want padding of at most half the kernel {kernel}, got {padding}")
    return kernel, stride, padding, output_size(op, x.shape[2:], kernel, stride, padding, (1, 1))


def _unpad(dxp, x, padding):
    (ph, pw), (H, W) = padding, x.shape[2:]
    return dxp[:, :, ph : ph + H, pw : pw + W]
