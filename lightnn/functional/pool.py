"""Pooling: the largest or the mean element under each window."""

from lightnn import options
from lightnn.declare import pools
from lightnn.functional import check
from lightnn.kernels.conv import pool
from lightnn.kernels.conv.planes import out_size
from lightnn.options import Pair
from lightnn.tensor import op


@op(channels=pools, keeps_zero=True)
def max_pool2d(x, *, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, ceil_mode: bool = False):
    """The largest element in each window of size kernel_size of x (N, C, H, W); stride defaults to kernel_size.

    Padding counts as minus infinity, NaN as the largest. Each window gives its gradient to the first of its largest
    elements. With ceil_mode, a last window that starts inside x or its left padding is used even if it reaches outside.
    """
    kernel, stride, padding, extra = window("max_pool2d", x, kernel_size, stride, padding, ceil_mode)
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
    kernel, stride, padding, extra = window("avg_pool2d", x, kernel_size, stride, padding, ceil_mode)
    (top, bottom, left, right), (more_h, more_w) = padding, extra
    counted = options.flag("avg_pool2d: count_include_pad", count_include_pad)
    how = kernel, stride, (top, bottom + more_h, left, right + more_w), counted, extra
    return pool.avg_pool2d(x, *how), lambda dy: pool.avg_pool2d_backward(dy, x.shape, *how)


@op(channels=pools, keeps_zero=True)
def adaptive_avg_pool2d(x, *, output_size: Pair):
    """Means over h x w windows of nearly equal size, (h, w) = output_size.

    Window (i, j) has the rows floor(i H / h) to ceil((i + 1) H / h) - 1; columns likewise.
    """
    check.floating("adaptive_avg_pool2d", x=x)
    check.shape("adaptive_avg_pool2d", "x (N, C, H, W), H, W > 0", x.ndim == 4 and 0 not in x.shape[2:], x=x)
    out = options.pair("adaptive_avg_pool2d: output_size", output_size, at_least=1)
    return pool.adaptive_avg_pool2d(x, out), lambda dy: pool.adaptive_avg_pool2d_backward(dy, x.shape)


def window(op, x, kernel_size, stride, padding, ceil_mode):
    """(kernel, stride, padding (top, bottom, left, right), what ceil_mode adds at the bottom and right)."""
    check.floating(op, x=x)
    check.shape(op, "x (N, C, H, W), H, W > 0", x.ndim == 4 and 0 not in x.shape[2:], x=x)
    kernel = options.pair(f"{op}: kernel_size", kernel_size, at_least=1)
    stride = kernel if stride is None else options.pair(f"{op}: stride", stride, at_least=1)
    ph, pw = options.pair(f"{op}: padding", padding)
    if 2 * ph > kernel[0] or 2 * pw > kernel[1]:
        raise ValueError(f"{op}: want padding of at most half the kernel {kernel}, got {(ph, pw)}")
    extra = (0, 0)
    if options.flag(f"{op}: ceil_mode", ceil_mode):
        extra = tuple(_ceil_extra(*n) for n in zip(x.shape[2:], kernel, stride, (ph, pw)))
    _check_that_it_fits(op, x.shape[2:], kernel, stride, (ph, pw), extra)
    return kernel, stride, (ph, ph, pw, pw), extra


def _check_that_it_fits(op, size, kernel, stride, padding, extra):
    out = [out_size(n, k, s, p, p + more) for n, k, s, p, more in zip(size, kernel, stride, padding, extra)]
    if min(out) < 1:
        fault = f"a kernel of {kernel} does not fit in {size} + 2 * {padding}"
        raise ValueError(f"{op}: {fault}: want at least 1 x 1 outputs, got {out[0]} x {out[1]}")


def _ceil_extra(n, k, s, p):
    """The padding after the end that completes the last window; 0 if that window would start beyond x and its left
    padding (as in PyTorch)."""
    over = -(n + 2 * p - k) % s
    windows = out_size(n, k, s, p, p + over)
    return over if (windows - 1) * s < n + p else 0
