"""Pooling: the largest or the mean element under each window."""

from lightnn.functional import check
from lightnn.functional.conv import output_size
from lightnn.kernels.conv import pool
from lightnn.kernels.conv.planes import out_size
from lightnn.tensor import op


@op
def max_pool2d(x, *, kernel_size, stride=None, padding=0, ceil_mode=False):
    """The largest element of each kernel_size window of x (N, C, H, W); stride defaults to kernel_size.

    Padding counts as minus infinity, NaN as the largest. The gradient goes to the first largest element of each window.
    With ceil_mode, a last window that starts inside x or its left padding is used even where it reaches outside.
    """
    kernel, stride, padding, extra = _window("max_pool2d", x, kernel_size, stride, padding, ceil_mode)
    (top, bottom, left, right), (more_h, more_w) = padding, extra
    y, argmax = pool.max_pool2d(x, kernel, stride, (top, bottom + more_h, left, right + more_w))
    return y, lambda dy: pool.max_pool2d_backward(dy, argmax, x.shape)


@op
def avg_pool2d(x, *, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True):
    """The mean of each kernel_size window of x (N, C, H, W). The zeros of the padding count, unless count_include_pad
    is false; what ceil_mode adds beyond the padding never counts (as in PyTorch)."""
    kernel, stride, padding, extra = _window("avg_pool2d", x, kernel_size, stride, padding, ceil_mode)
    (top, bottom, left, right), (more_h, more_w) = padding, extra
    options = kernel, stride, (top, bottom + more_h, left, right + more_w), count_include_pad, extra
    return pool.avg_pool2d(x, *options), lambda dy: pool.avg_pool2d_backward(dy, x.shape, *options)


@op
def adaptive_avg_pool2d(x, *, output_size):
    """Means over output_size (h, w) or int nearly equal windows: rows floor(i H / h) to ceil((i + 1) H / h) - 1."""
    check.floating("adaptive_avg_pool2d", x=x)
    check.shape("adaptive_avg_pool2d", "x (N, C, H, W), H, W > 0", x.ndim == 4 and 0 not in x.shape[2:], x=x)
    out = check.pair(output_size, name="adaptive_avg_pool2d: output_size", at_least=1)
    return pool.adaptive_avg_pool2d(x, out), lambda dy: pool.adaptive_avg_pool2d_backward(dy, x.shape)


def _window(op, x, kernel_size, stride, padding, ceil_mode):
    """(kernel, stride, padding (top, bottom, left, right), what ceil_mode adds at the bottom and right)."""
    check.floating(op, x=x)
    check.shape(op, "x (N, C, H, W)", x.ndim == 4, x=x)
    kernel = check.pair(kernel_size, name=f"{op}: kernel_size", at_least=1)
    stride = kernel if stride is None else check.pair(stride, name=f"{op}: stride", at_least=1)
    ph, pw = check.pair(padding, name=f"{op}: padding")
    if 2 * ph > kernel[0] or 2 * pw > kernel[1]:
        raise ValueError(f"{op}: want padding of at most half the kernel {kernel}, got {(ph, pw)}")
    if ceil_mode:
        extra = tuple(_ceil_extra(*n) for n in zip(x.shape[2:], kernel, stride, (ph, pw)))
    else:
        output_size(op, x.shape[2:], kernel, stride, (ph, pw), (1, 1))
        extra = (0, 0)
    return kernel, stride, (ph, ph, pw, pw), extra


def _ceil_extra(n, k, s, p):
    """The padding after the end that lets the last, incomplete window in, unless it would start in the padding."""
    over = -(n + 2 * p - k) % s
    windows = out_size(n, k, s, p, p + over)
    return over if over and (windows - 1) * s < n + p else 0
