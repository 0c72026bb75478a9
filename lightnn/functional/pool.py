"""Pooling: the largest or the mean element under each window."""

from lightnn.declare import pools
from lightnn.functional import check
from lightnn.functional.check import Pair
from lightnn.functional.conv import output_size
from lightnn.kernels.conv import pool
from lightnn.kernels.conv.planes import out_size
from lightnn.tensor import op


@op(channels=pools, keeps_zero=True)
def max_pool2d(x, *, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, ceil_mode: bool = False):
    """The largest element in each window of size kernel_size of x (N, C, H, W); stride defaults to kernel_size.

    Padding counts as minus infinity, NaN as the largest. Each window gives its gradient to the first of its largest
    elements. With ceil_mode, a last window that starts inside x or its left padding is used even if it reaches outside.
    """
    kernel, stride, padding, extra = _window("max_pool2d", x, kernel_size, stride, padding, ceil_mode)
    (top, bottom, left, right), (more_h, more_w) = padding, extra
    y, argmax = pool.max_pool2d(x, kernel, stride, (top, bottom + more_h, left, right + more_w))
    return y, lambda dy: pool.max_pool2d_backward(dy, argmax, x.shape)


@op(channels=pools, keeps_zero=True)
def avg_pool2d(
    x,
    *,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
):
    """The mean of each window of size kernel_size of x (N, C, H, W); stride defaults to kernel_size.

    The zeros of the padding count, unless count_include_pad is false; what ceil_mode adds beyond the padding never
    counts (as in PyTorch).
    """
    kernel, stride, padding, extra = _window("avg_pool2d", x, kernel_size, stride, padding, ceil_mode)
    (top, bottom, left, right), (more_h, more_w) = padding, extra
    options = kernel, stride, (top, bottom + more_h, left, right + more_w), count_include_pad, extra
    return pool.avg_pool2d(x, *options), lambda dy: pool.avg_pool2d_backward(dy, x.shape, *options)


@op(channels=pools, keeps_zero=True)
def adaptive_avg_pool2d(x, *, output_size: Pair):
    """Means over h x w windows of nearly equal size, (h, w) = output_size.

    Window (i, j) has the rows floor(i H / h) to ceil((i + 1) H / h) - 1; columns likewise.
    """
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
    """The padding after the end that completes the last window; 0 if that window would start in the padding."""
    over = -(n + 2 * p - k) % s
    windows = out_size(n, k, s, p, p + over)
    return over if over and (windows - 1) * s < n + p else 0
