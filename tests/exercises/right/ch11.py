"""Right solutions of chapter 11, each in another style than the reference."""

import math

import numpy as np

from lightnn.functional.plain import conv2d


# 11.1: an image of zeros, into which the shortcut is written
def residual_block(x, w1, w2, stride):
    hidden = conv2d(x, w1, (stride, stride), (1, 1, 1, 1), (1, 1))
    y = conv2d(hidden * (hidden > 0), w2, (1, 1), (1, 1, 1, 1), (1, 1)).copy()
    start = (len(w1) - x.shape[1]) // 2
    y[:, start : start + x.shape[1]] += x[:, :, ::stride, ::stride]
    y[y < 0] = 0
    return y


# 11.1: sums over shifted images
def residual_block(x, w1, w2, stride):
    def conv(image, w, s):
        image = np.pad(image, ((0, 0), (0, 0), (1, 1), (1, 1)))
        height, width = image.shape[2] - 2, image.shape[3] - 2
        return sum(
            np.einsum("oc,nchw->nohw", w[:, :, i, j], image[:, :, i : i + height : s, j : j + width : s])
            for i in range(3)
            for j in range(3)
        )

    y = conv(conv(x, w1, stride).clip(0), w2, 1)
    before = (w1.shape[0] - w1.shape[1]) // 2
    behind = w1.shape[0] - w1.shape[1] - before
    x = x[:, :, ::stride, ::stride]
    zeros = [np.zeros((len(x), n, *x.shape[2:]), x.dtype) for n in (before, behind)]
    return (y + np.concatenate([zeros[0], x, zeros[1]], 1)).clip(0)


# 11.2: convolution by convolution
def bottleneck_macs(c, width, size, stride=1):
    def conv(a, b, kernel, pixels):
        return kernel * kernel * a * b * pixels * pixels

    after, c_out = (size + stride - 1) // stride, 4 * width
    total = conv(c, width, 1, size) + conv(width, width, 3, after) + conv(width, c_out, 1, after)
    if not (stride == 1 and c == c_out):
        total += conv(c, c_out, 1, after)
    return total


# 11.2: width taken out
def bottleneck_macs(c, width, size, stride=1):
    after = math.ceil(size / stride) ** 2
    shortcut = 0 if (stride, c) == (1, 4 * width) else 4 * c
    return width * (size * size * c + after * (13 * width + shortcut))


# 11.3: one layer after the other
def dense_channels(c, growth, blocks):
    found = []
    for layers in blocks:
        reads = []
        while len(reads) < layers:
            reads.append(c)
            c += growth
        found.append(reads)
        c = int(c / 2)
    return found


# 11.3: ranges
def dense_channels(c, growth, blocks):
    if not blocks:
        return []
    end = c + blocks[0] * growth
    return [list(range(c, end, growth)), *dense_channels(end // 2, growth, blocks[1:])]


# 11.4: from the last layer to the first
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in reversed(list(layers)):
        field = (field - 1) * stride + (kernel - 1) * dilation + 1
        jump = jump * stride
    return field, jump


# 11.4: a sum of products
def receptive_field(layers):
    strides = [1]
    for _, stride, _ in layers:
        strides.append(strides[-1] * stride)
    return 1 + sum((k - 1) * d * jump for (k, _, d), jump in zip(layers, strides)), strides[-1]


# 11.5: the last pixel that is read
def same_padding(size, kernel, stride=1, dilation=1):
    last = (math.ceil(size / stride) - 1) * stride + dilation * (kernel - 1)
    missing = last - (size - 1)
    if missing <= 0:
        return 0, 0
    return missing // 2, (missing + 1) // 2


# 11.5: divmod
def same_padding(size, kernel, stride=1, dilation=1):
    reach = dilation * (kernel - 1) + 1
    missing = reach - stride if size % stride == 0 else reach - size % stride
    half, odd = divmod(max(missing, 0), 2)
    return half, half + odd


# 11.6: a loop over the classes
def mean_iou(n):
    n = np.array(n)
    if n.ndim != 2 or n.shape[0] != n.shape[1]:
        raise ValueError("square")
    found = []
    for i in range(len(n)):
        union = n[i].sum() + n[:, i].sum() - n[i, i]
        if union:
            found.append(n[i, i] / union)
    if not found:
        raise ValueError("no pixel")
    return float(sum(found) / len(found))


# 11.6: 0 / 0 is no number
def mean_iou(n):
    rows, columns = np.shape(n)
    if rows != columns or not np.any(n):
        raise ValueError("want a square array with pixels")
    n = np.asarray(n, float)
    with np.errstate(invalid="ignore"):
        return float(np.nanmean(n.diagonal() / (n.sum(1) + n.sum(0) - n.diagonal())))
