"""The filters as their definitions in plain NumPy: slow and short. The kernels are tested against them.

    windows        seen[n, c, i, j, k, l] = x[n, c, i s + k d - top, j s + l d - left]        what each output sees
    conv2d         y[n, o, i, j] = sum_{c,k,l} w[o, c, k, l] seen[n, c, i, j, k, l]
    its gradients  dw[o, c, k, l] = sum_{n,i,j} dy[n, o, i, j] seen[n, c, i, j, k, l]
                   dx: w[o, c, k, l] dy[n, o, i, j] is added to the pixel that was multiplied by w[o, c, k, l]
    input_scale    K[n, 0, i, j] = mean of |seen[n, :, i, j]|                                 XNOR-Net's scale

x (N, C, H, W); w (O, C/G, KH, KW); stride and dilation (vertical, horizontal); padding (top, bottom, left, right).
Arrays in, arrays out; nothing is checked.
"""

import numpy as np

from lightnn.exercise import exercise


@exercise("12.5")
def windows(x, kernel, stride, padding, dilation):
    """What each output sees, in the dtype of x: seen (N, C, Ho, Wo, KH, KW). For output (i, j), tap (k, l) of the
    window reads this pixel, or 0 where it lies outside x:

        seen[n, c, i, j, k, l] = x[n, c, i s + k d - top, j s + l d - left]

    x (N, C, H, W); kernel (KH, KW); stride s and dilation d are pairs, (vertical, horizontal): the first for the
    rows, the second for the columns. padding: the rows and columns of zeros around x, (top, bottom, left, right). Ho
    and Wo: as many outputs as whole windows fit into the padded image, at least one. x is not changed.
    """
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


@exercise("09.10")
def input_scale(x, kernel, stride, padding):
    """K (N, 1, Ho, Wo), in the dtype of x, by which XNOR-Net multiplies a convolution of signs (Rastegari et al. 2016,
    arXiv 1603.05279, section 3.2):

        A = mean of |x| over the channels,    K = A * k,    k_ij = 1 / (KH KW)

    So K[n, 0, i, j] is the mean of A in the window of output (i, j): the rows i s - top .. i s - top + KH - 1, the
    columns likewise; what lies outside x is 0 there, and counts. x (N, C, H, W), C > 0; kernel (KH, KW); stride s a
    pair, for the rows and for the columns; padding: the rows and columns of zeros around x, (top, bottom, left, right).
    Ho and Wo: as many outputs as whole windows fit into the padded image, at least one. x is not changed.
    """
    A = np.abs(x).mean(1, keepdims=True)
    return windows(A, kernel, stride, padding, (1, 1)).mean((4, 5))


def in_groups(a, axis, groups):
    """The array a with its axis `axis` split into two: the group, and the place in the group."""
    return a.reshape(*a.shape[:axis], groups, a.shape[axis] // groups, *a.shape[axis + 1 :])


@exercise("12.6")
def conv2d(x, w, stride, padding, dilation, groups=1):
    """y (N, O, Ho, Wo), in the dtype of x and w. The kernel is not flipped:

        y[n, o, i, j] = sum_(c,k,l) w[o, c, k, l] seen[n, c, i, j, k, l]

    seen = windows(x, (KH, KW), stride, padding, dilation), w (O, C/G, KH, KW). With G groups, output channel o sees
    the input channels of its group only, and c counts these: group g has the outputs g O/G .. (g+1) O/G - 1 and the
    inputs g C/G .. (g+1) C/G - 1.
    """
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


@exercise("12.7")
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    """dw, of shape w_shape = (O, C/G, KH, KW), in the dtype of dy and x: the gradient of the loss with respect to the
    weights of `conv2d`, from dy (N, O, Ho, Wo), that with respect to its result y.

        dw[o, c, k, l] = sum_(n,i,j) dy[n, o, i, j] seen[n, c, i, j, k, l]

    Each product of the forward pass that has the weight as a factor adds dy times the other factor; over all images,
    it is a sum and not a mean. seen and the groups are those of `conv2d`: c counts the input channels of o's group.
    """
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape)


@exercise("12.8")
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    """dx, of shape x_shape = (N, C, H, W), in the dtype of dy and w: the gradient of the loss with respect to the image
    of `conv2d`, from dy (N, O, Ho, Wo), that with respect to its result y. Every product of the forward pass, for all
    o, k, l, i and j, adds to one pixel:

        dx[n, c, i s + k d - top, j s + l d - left] +=
            w[o, c, k, l] dy[n, o, i, j]

    A pixel that several windows read gets the sum, and one that none reads gets 0. What falls on the padding is
    dropped. With groups, c runs over the input channels of o's group only; in w it is counted within the group.
    """
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
    """x with its channels interleaved, in the shape and dtype of x (N, C, H, W). Member j of group i moves:

        channel i C/G + j  ->  channel j G + i

    G = groups divides C (Zhang et al. 2018, arXiv 1707.01083, section 3.1). x is not changed.
    """
    n, c, height, width = x.shape
    return x.reshape(n, groups, c // groups, height, width).swapaxes(1, 2).reshape(x.shape)


@exercise("12.4")
def shift2d(x, dy, dx):
    """Each channel of x moved by its own offset, in the shape and dtype of x; what comes from outside x is 0 (Wu et al.
    2018, arXiv 1711.08141, equation 5).

        y[n, c, h, w] = x[n, c, h + dy[c], w + dx[c]]

    x (N, C, H, W); dy, dx: int arrays (C,). An offset may be as large as the image or larger: then only zeros are
    left. x is not changed.
    """
    y, (height, width) = np.zeros_like(x), x.shape[2:]
    for c, (a, b) in enumerate(zip(dy, dx)):
        top, bottom = max(0, -a), max(0, min(height, height - a))
        left, right = max(0, -b), max(0, min(width, width - b))
        if top < bottom and left < right:
            y[:, c, top:bottom, left:right] = x[:, c, top + a : bottom + a, left + b : right + b]
    return y
