"""The stored form of a pruned weight, compressed sparse rows (CSR), and what is computed from it, in plain NumPy: slow,
short, and what the kernels are tested against.

Of a matrix w (M, K) and a mask of the elements that are kept, three arrays hold everything (nnz elements are kept):

    values (nnz,)      the kept elements, row by row, in the order of their columns
    columns (nnz,)     the column of each
    pointers (M + 1,)  row i has the elements pointers[i] .. pointers[i+1] - 1

That is 2 nnz + M + 1 numbers (Han, Mao & Dally 2016, arXiv 1510.00149, section 2). Nothing is checked.
"""

import numpy as np

from lightnn.exercise import exercise


def to_csr(w, mask):
    """(values, columns, pointers) of w (M, K) where the bool array mask (M, K) is True, zeros among them included.
    columns and pointers are int32."""
    columns = np.nonzero(mask)[1].astype(np.int32)
    pointers = np.concatenate([[0], np.cumsum(mask.sum(1))]).astype(np.int32)
    return w[mask], columns, pointers


def from_csr(values, columns, pointers, k):
    """w (M, k), 0 where nothing is stored."""
    w = np.zeros((len(pointers) - 1, k), values.dtype)
    w[np.repeat(np.arange(len(w)), np.diff(pointers)), columns] = values
    return w


@exercise("02.8")
def csr_matvec(values, columns, pointers, x):
    """y = w x for a matrix w (M, K) stored in rows: of each row, the sum of its elements times the numbers of x (K,)
    that stand at their columns.

        y_i = sum_{k = p_i}^{p_(i+1) - 1} v_k x_(c_k)

    values v (nnz,): the stored elements, row by row. columns c (nnz,): the column of each. pointers p (M + 1,): row i
    has the elements p_i, ..., p_(i+1) - 1; it may have none, and then y_i is 0. What is not stored is not multiplied:
    a number of x that no element meets changes nothing, not even NaN.

    Returns y (M,), of x's dtype. M may be 0. The arguments stay as they are.
    """
    y = np.zeros(len(pointers) - 1, x.dtype)
    for i in range(len(y)):
        k = slice(pointers[i], pointers[i + 1])
        y[i] = (values[k] * x[columns[k]]).sum()
    return y


def tap_positions(columns, kernel, dilation, width):
    """Where in a flat image (C, height, width) the elements of filters (O, C*KH*KW) stand, relative to their window:

        column (c KH + p) KW + q  ->  c * plane + (p d_h) * width + q d_w,      plane left out: (c, offset in it)

    Returns (channel, offset), each of the shape of columns: the "stretched" filter of Park et al. 2017 (arXiv
    1608.01409, section 3.1). The offset does not depend on where the window is, so it is computed once a layer.
    """
    channel, tap = np.divmod(columns, kernel[0] * kernel[1])
    p, q = np.divmod(tap, kernel[1])
    return channel, p * dilation[0] * width + q * dilation[1]


def csr_conv2d(values, columns, pointers, x, kernel, stride, padding, dilation):
    """y (N, O, Ho, Wo) by direct sparse convolution: each stored element meets, for all output pixels at once, the
    pixels of the zero-padded x (N, C, H, W) that its place in the window points to, and adds its products to them.

    The rows of the matrix are the filters, its columns (c, p, q); padding (top, bottom, left, right).
    """
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    height, width = x.shape[2:]
    ho = (height - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    wo = (width - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    window = (np.arange(ho) * stride[0] * width)[:, None] + np.arange(wo) * stride[1]
    channel, offset = tap_positions(columns, kernel, dilation, width)
    flat = x.reshape(len(x), x.shape[1], height * width)
    y = np.zeros((len(x), len(pointers) - 1, ho, wo), x.dtype)
    for o in range(y.shape[1]):
        for k in range(pointers[o], pointers[o + 1]):
            y[:, o] += values[k] * flat[:, channel[k], window + offset[k]]
    return y
