"""2-D convolution (cross-correlation, as in every deep-learning library) by im2col and matrix products.

    y[n, o, i, j] = b[o] + sum_{c, p, q} w[o, c, p, q] x[n, g C/G + c, i s + p d - P, j s + q d - P],  g = o G // O

im2col lays the patch under each output pixel out as a column, so that convolution becomes one matrix product a group:
easy to read, at the price of copying every input pixel KH * KW times. It works an image at a time, so that
the copy never holds more than one image's patches.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from lightnn.functional import check
from lightnn.tensor import op


@op
def conv2d(x, w, b=None, *, stride=1, padding=0, dilation=1, groups=1):
    """Convolve x (N, C, H, W) with w (O, C/groups, KH, KW) and add b (O,) or None.

    y is (N, O, Ho, Wo) with Ho = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1, and Wo likewise.
    stride, padding, dilation: int or (h, w). MACs: N O Ho Wo (C/groups) KH KW.
    """
    stride, padding, dilation = _options("conv2d", stride, padding, dilation)
    _check_shapes(x, w, b, groups)
    (N, C, H, W), (O, Cg, KH, KW), G = x.shape, w.shape, groups
    Ho, Wo = output_size("conv2d", (H, W), (KH, KW), stride, padding, dilation)
    xp = pad_hw(x, padding)
    wg = w.reshape(G, O // G, Cg * KH * KW)

    def columns(image):
        """The patches of one padded image (C, Hp, Wp), as (G, C/G KH KW, Ho Wo)."""
        return windows(image, (KH, KW), stride, dilation, (Ho, Wo)).reshape(G, Cg * KH * KW, Ho * Wo)

    y = np.empty((N, O, Ho, Wo), x.dtype)
    for n in range(N):
        np.matmul(wg, columns(xp[n]), out=y[n].reshape(G, O // G, Ho * Wo))
    if b is not None:
        y += b[:, None, None]

    def vjp_x(dy):
        dxp = np.zeros_like(xp)
        for n in range(N):
            d = wg.swapaxes(1, 2) @ dy[n].reshape(G, O // G, Ho * Wo)
            add_windows(dxp[n], d.reshape(C, KH, KW, Ho, Wo), stride, dilation)
        return dxp[:, :, padding[0] : padding[0] + H, padding[1] : padding[1] + W]

    def vjp_w(dy):
        dw = np.zeros_like(wg)
        for n in range(N):
            dw += dy[n].reshape(G, O // G, Ho * Wo) @ columns(xp[n]).swapaxes(1, 2)
        return dw.reshape(w.shape)

    return y, vjp_x, vjp_w, lambda dy: dy.sum((0, 2, 3))


def _options(name, stride, padding, dilation):
    return (
        check.pair(stride, name=f"{name}: stride", at_least=1),
        check.pair(padding, name=f"{name}: padding"),
        check.pair(dilation, name=f"{name}: dilation", at_least=1),
    )


def _check_shapes(x, w, b, groups):
    check.floating("conv2d", x=x, w=w, b=b)
    fits = x.ndim == 4 and w.ndim == 4 and (b is None or b.shape == w.shape[:1])
    check.shape("conv2d", "x (N, C, H, W), w (O, C/groups, KH, KW) and b (O,) or None", fits, x=x, w=w, b=b)
    C, O = x.shape[1], w.shape[0]
    fits = isinstance(groups, int) and groups >= 1 and C % groups == 0 == O % groups and w.shape[1] == C // groups
    check.shape("conv2d", f"C and O divisible by groups={groups!r} and w (O, C/groups, KH, KW)", fits, x=x, w=w)


def output_size(op, size, kernel, stride, padding, dilation):
    """(Ho, Wo) of a window of `kernel` sliding over `size`; ValueError if it does not fit once."""
    out = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(size, kernel, stride, padding, dilation)]
    if min(kernel) < 1 or min(out) < 1:
        raise ValueError(f"{op}: a kernel of {kernel} with dilation {dilation} does not fit in {size} + 2 * {padding}")
    return tuple(out)


def pad_hw(x, padding, value=0):
    """x (N, C, H, W) with `value` around it: padding (h, w) on both sides."""
    ph, pw = padding
    return np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)), constant_values=value) if ph or pw else x


def windows(image, kernel, stride, dilation, out):
    """A read-only view (..., KH, KW, Ho, Wo) of image (..., H, W): element (p, q, i, j) is image[i s + p d, j s + q
    d]."""
    *lead, sh, sw = image.strides
    (sy, sx), (dy, dx) = stride, dilation
    strides = (*lead, sh * dy, sw * dx, sh * sy, sw * sx)
    return as_strided(image, (*image.shape[:-2], *kernel, *out), strides, writeable=False)


def add_windows(image, d, stride, dilation):
    """The transpose of `windows`: add d (..., KH, KW, Ho, Wo) to image (..., H, W), in place."""
    KH, KW, Ho, Wo = d.shape[-4:]
    (sy, sx), (dy, dx) = stride, dilation
    for p in range(KH):
        for q in range(KW):
            rows, cols = slice(p * dy, p * dy + sy * Ho, sy), slice(q * dx, q * dx + sx * Wo, sx)
            image[..., rows, cols] += d[..., p, q, :, :]
