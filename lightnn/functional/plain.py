"""The filters as their definitions in plain NumPy: slow and short. The kernels are tested against them.

    windows        seen[n, c, i, j, k, l] = x[n, c, i s + k d - top, j s + l d - left]        what each output sees
    conv2d         y[n, o, i, j] = sum_{c,k,l} w[o, c, k, l] seen[n, c, i, j, k, l]
    its gradients  dw[o, c, k, l] = sum_{n,i,j} dy[n, o, i, j] seen[n, c, i, j, k, l]
                   dx: w[o, c, k, l] dy[n, o, i, j] is added to the pixel that was multiplied by w[o, c, k, l]
    input_scale    K[n, 0, i, j] = mean of |seen[n, :, i, j]|                                 XNOR-Net's scale
    residual_block y = relu(conv(relu(conv(x, w1)), w2) + shortcut(x))
    linear_by_tables  y[i, o] = sum_b T[i, b, codes[o, b]],  T[i, b, j] = x_i's block b . c[j]

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


@exercise("11.1")
def residual_block(x, w1, w2, stride):
    """The basic block of a residual network without batch norm (He et al. 2016, arXiv 1512.03385, equation 1), with a
    shortcut that has no weights:

        y = relu(conv(relu(conv(x, w1)), w2) + shortcut(x))

    x (N, C, H, W); w1 (O, C, 3, 3) with this stride in both directions, w2 (O, O, 3, 3) with stride 1; both with one
    row and one column of zeros on each side of their image. The shortcut takes every stride-th row and column of x,
    from the first on, and adds O - C channels of zeros: (O - C) // 2 of them before, the others behind. O >= C, and the
    dtype of x and w stays. x, w1 and w2 are not changed.
    """
    y = np.maximum(conv2d(x, w1, (stride, stride), (1, 1, 1, 1), (1, 1)), 0)
    y = conv2d(y, w2, (1, 1), (1, 1, 1, 1), (1, 1))
    more = w1.shape[0] - x.shape[1]
    shortcut = np.pad(x[:, :, ::stride, ::stride], ((0, 0), (more // 2, more - more // 2), (0, 0), (0, 0)))
    return np.maximum(y + shortcut, 0)


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


@exercise("13.4")
def squeeze_excitation(x, w1, b1, w2, b2):
    """y (N, C, H, W), in the dtype of x: each channel times a gate between 0 and 1 that the means of all channels of
    the image decide (Hu et al. 2018, arXiv 1709.01507, equations 2 to 4, with EfficientNet's SiLU):

        z[n, c] = mean of x[n, c]                          the squeeze
        g = sigmoid(W2 silu(W1 z + b1) + b2)       the excitation, of each image
        y[n, c, i, j] = g[n, c] x[n, c, i, j]

    with sigmoid(t) = 1 / (1 + e^-t) and silu(t) = t sigmoid(t). x (N, C, H, W), of at least one pixel; w1 (S, C),
    b1 (S,); w2 (C, S), b2 (C,), all in the same dtype. x is not changed.
    """

    def sigmoid(t):
        return 1 / (1 + np.exp(-t))

    t = x.mean((2, 3)) @ w1.T + b1
    g = sigmoid(t * sigmoid(t) @ w2.T + b2)
    return x * g[:, :, None, None]


@exercise("13.5")
def residual_with_stochastic_depth(x, branch, drawn, p):
    """y, in the shape and dtype of x: a residual block in training, whose branch is skipped with probability p, image
    by image (Huang et al. 2016, arXiv 1603.09382, equation 2, scaled so that inference needs no change):

        y[n] = x[n] + branch[n] / (1 - p)      where drawn[n] >= p
        y[n] = x[n]                            elsewhere

    The mean of y over many draws is x + branch, what the block gives in inference. x, branch (N, ...): what comes into
    the block, and what its layers make of it, both in the same dtype, float32 or float64. drawn (N,): numbers that were
    drawn uniformly from [0, 1). p from 0 to 1: with 0 every branch is kept, with 1 none, as drawn < 1. x and branch
    stay as they are.
    """
    kept = (drawn >= p).reshape(-1, *[1] * (x.ndim - 1))
    return x + branch * (kept * x.dtype.type(1 / (1 - p) if p < 1 else 0))


@exercise("06.7")
def linear_by_tables(x, codes, c):
    """y (N, O) = x w', in the dtype of x and c, where w is not written out: block b of its row o is c[codes[o, b]].
    Each product of an input block and a centroid is computed once, and then looked up (Jegou, Douze & Schmid 2011, for
    distances; here for a fully connected layer):

        T[i, b, j] = x_i's block b . c[j]
        y[i, o] = sum_b T[i, b, codes[o, b]]

    x (N, B d) with N >= 0; its block b is x_i[b d], ..., x_i[b d + d - 1]. c (k, d): the centroids; codes (O, B):
    integers from 0 to k - 1. The N k B d multiplications are all in T; for y, N O B entries are added. The tables are
    (N, B, k). Nothing is changed.
    """
    blocks = codes.shape[1]
    T = x.reshape(len(x), blocks, c.shape[1]) @ c.T
    return T[:, np.arange(blocks), codes].sum(2)
