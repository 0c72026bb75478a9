"""The filters as their definitions in plain NumPy: slow and short. The kernels are tested against them.

    windows        seen[n, c, i, j, k, l] = x[n, c, i s + k d - top, j s + l d - left]        what each output sees
    conv2d         y[n, o, i, j] = sum_{c,k,l} w[o, c, k, l] seen[n, c, i, j, k, l]
    its gradients  dw[o, c, k, l] = sum_{n,i,j} dy[n, o, i, j] seen[n, c, i, j, k, l]
                   dx: w[o, c, k, l] dy[n, o, i, j] is added to the pixel that was multiplied by w[o, c, k, l]

x (N, C, H, W); w (O, C/G, KH, KW); stride and dilation (vertical, horizontal); padding (top, bottom, left, right).
Arrays in, arrays out; nothing is checked.
"""

import numpy as np

from lightnn.exercise import exercise


@exercise("12.5")
def windows(x, kernel, stride, padding, dilation):
    """seen (N, C, Ho, Wo, KH, KW): what tap (k, l) of the window, over zero-padded x, reads for output (i, j).

    Row i*stride + k*dilation of the padded image, for as many i as the whole window fits; columns likewise.
    """
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def in_groups(a, axis, groups):
    """Axis `axis` of a split into (groups, the rest)."""
    return a.reshape(*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1 :])


@exercise("12.6")
def conv2d(x, w, stride, padding, dilation, groups=1):
    """y (N, O, Ho, Wo). Output channel o sees the input channels of its group only: group g has the outputs
    g*O/G .. (g+1)*O/G - 1 and the inputs g*C/G .. (g+1)*C/G - 1."""
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


@exercise("12.7")
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    """dw, with the shape of w: each weight's gradient is the sum over images and output pixels of dy times the pixel
    that the weight was multiplied by."""
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape)


@exercise("12.8")
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    """dx, of shape x_shape. Tap (k, l) added w[o, c, k, l] x[pixel] to y[n, o, i, j], so w[o, c, k, l] dy[n, o, i, j]
    is added to dx at that pixel. The gradient of the padding is dropped."""
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


@exercise("12.3")
def channel_shuffle(x, groups):
    """Channel i*C/G + j of x (N, C, H, W), member j of group i, becomes channel j*G + i (Zhang et al. 2018, arXiv
    1707.01083, section 3.1)."""
    n, c, height, width = x.shape
    return x.reshape(n, groups, c // groups, height, width).swapaxes(1, 2).reshape(x.shape)


@exercise("12.4")
def shift2d(x, dy, dx):
    """y[n, c, h, w] = x[n, c, h + dy[c], w + dx[c]], 0 outside x (Wu et al. 2018, arXiv 1711.08141, equation 5)."""
    y, (height, width) = np.zeros_like(x), x.shape[2:]
    for c, (a, b) in enumerate(zip(dy, dx)):
        top, bottom = max(0, -a), max(0, min(height, height - a))
        left, right = max(0, -b), max(0, min(width, width - b))
        if top < bottom and left < right:
            y[:, c, top:bottom, left:right] = x[:, c, top + a : bottom + a, left + b : right + b]
    return y
