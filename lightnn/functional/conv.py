"""2-D convolution (cross-correlation, as in every deep-learning library): the general case and two special cases.

    y[n, o, i, j] = b[o] + sum_{c,k,l} w[o, c, k, l] x[n, g C/G + c, i s + k d - p, j s + l d - p]

for G groups, of which output o is in g = floor(o G / O), stride s, dilation d and padding p. `conv2d` calls the
depthwise kernel if each channel is a group of its own, and otherwise the dense one, for which a 1x1 convolution is a
matrix product. Each file in `lightnn/kernels/conv` says how it works. As y is linear in x and in w, each vjp is itself
a convolution.
"""

from lightnn import options
from lightnn.declare import mixes
from lightnn.functional import check
from lightnn.kernels.conv import dense, depthwise
from lightnn.kernels.conv.planes import out_size
from lightnn.options import Pair
from lightnn.tensor import op


def _macs(y, x, w, b):
    return y.size * w[0].size


@op(channels=mixes, keeps_zero=True, weights=("w", "b"), macs=_macs)
def conv2d(x, w, b=None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1):
    """Convolve x (N, C, H, W) with w (O, C/groups, KH, KW) and add b (O,) or None.

    y is (N, O, Ho, Wo) with Ho = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1, and Wo likewise.
    stride, padding, dilation: int or (h, w). MACs: N O Ho Wo (C/groups) KH KW.
    """
    *geometry, groups = _geometry("conv2d", x, w, b, stride, padding, dilation, groups)
    if groups > 1 and groups == x.shape[1]:
        return _rule(depthwise, x, w, b, *geometry)
    return _rule(dense, x, w, b, *geometry, groups)


@op(channels=mixes, keeps_zero=True, weights=("w", "b"), macs=_macs)
def depthwise_conv2d(x, w, b=None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1):
    """Convolve each channel of x (N, C, H, W) with its own m filters: w (m C, 1, KH, KW), b (m C,) or None.

    Output channel c m + j is computed from input channel c. MACs: N m C Ho Wo KH KW, a factor C fewer than dense.
    """
    channels = x.shape[1] if x.ndim == 4 and x.shape[1] else 1
    *geometry, _ = _geometry("depthwise_conv2d", x, w, b, stride, padding, dilation, channels)
    return _rule(depthwise, x, w, b, *geometry)


@op(channels=mixes, keeps_zero=True, weights=("w", "b"), macs=_macs)
def grouped_conv2d(x, w, b=None, *, stride: Pair = 1, padding: Pair = 0, dilation: Pair = 1, groups: int = 1):
    """Convolve the channels in `groups` separate groups (Krizhevsky et al. 2012): the same as `conv2d`."""
    return _rule(dense, x, w, b, *_geometry("grouped_conv2d", x, w, b, stride, padding, dilation, groups))


def _rule(kernel, x, w, b, *geometry):
    """y and the vjps of x, w and b, from a kernel's forward, backward_input and backward_weight."""
    return (
        kernel.forward(x, w, b, *geometry),
        lambda dy: kernel.backward_input(dy, w, x.shape, *geometry),
        lambda dy: kernel.backward_weight(dy, x, w.shape, *geometry),
        lambda dy: dy.sum((0, 2, 3)),
    )


def _geometry(op, x, w, b, stride, padding, dilation, groups):
    """(stride, (top, bottom, left, right), dilation, groups), after checking everything."""
    stride = options.pair(f"{op}: stride", stride, at_least=1)
    ph, pw = options.pair(f"{op}: padding", padding)
    dilation = options.pair(f"{op}: dilation", dilation, at_least=1)
    groups = options.count(f"{op}: groups", groups)
    check.floating(op, x=x, w=w, b=b)
    fits = x.ndim == 4 and w.ndim == 4 and (b is None or b.shape == w.shape[:1])
    check.shape(op, "x (N, C, H, W), w (O, C/groups, KH, KW) and b (O,) or None", fits, x=x, w=w, b=b)
    C, O = x.shape[1], w.shape[0]
    fits = C % groups == 0 == O % groups and w.shape[1] == C // groups
    check.shape(op, f"C and O divisible by groups={groups} and w (O, C/groups, KH, KW)", fits, x=x, w=w)
    output_size(op, x.shape[2:], w.shape[2:], stride, (ph, pw), dilation)
    return stride, (ph, ph, pw, pw), dilation, groups


def output_size(op, size, kernel, stride, padding, dilation):
    """(Ho, Wo): how often a window of size `kernel` fits into `size`; ValueError if it does not fit once."""
    out = [out_size(n, k, s, p, p, d) for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)]
    if min(kernel) < 1 or min(out) < 1:
        fault = f"a kernel of {kernel} with dilation {dilation} does not fit in {size} + 2 * {padding}"
        raise ValueError(f"{op}: {fault}: want at least 1 x 1 outputs, got {out[0]} x {out[1]}")
    return tuple(out)
