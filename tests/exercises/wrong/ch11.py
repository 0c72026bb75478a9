"""Wrong solutions of chapter 11, beside the named mistakes of the sheet."""

import numpy as np

from lightnn.functional.plain import conv2d


# 11.1: the weights in the wrong order
def residual_block(x, w1, w2, stride):
    ones = (1, 1, 1, 1)
    y = np.maximum(conv2d(x, w1, (stride, stride), ones, (1, 1)), 0)
    y = conv2d(y, w2.swapaxes(0, 1), (1, 1), ones, (1, 1))
    more = len(w1) - x.shape[1]
    short = np.pad(x[:, :, ::stride, ::stride], ((0, 0), (more // 2, more - more // 2), (0, 0), (0, 0)))
    return np.maximum(y + short, 0)


# 11.1: x is changed
def residual_block(x, w1, w2, stride):
    ones = (1, 1, 1, 1)
    y = np.maximum(conv2d(x, w1, (stride, stride), ones, (1, 1)), 0)
    y = conv2d(y, w2, (1, 1), ones, (1, 1))
    more = len(w1) - x.shape[1]
    y = y + np.pad(x[:, :, ::stride, ::stride], ((0, 0), (more // 2, more - more // 2), (0, 0), (0, 0)))
    x *= 0
    return np.maximum(y, 0)


# 11.1: always float64
def residual_block(x, w1, w2, stride):
    ones = (1, 1, 1, 1)
    y = np.maximum(conv2d(x, w1, (stride, stride), ones, (1, 1)), 0)
    y = conv2d(y, w2, (1, 1), ones, (1, 1))
    more = len(w1) - x.shape[1]
    y = y + np.pad(x[:, :, ::stride, ::stride], ((0, 0), (more // 2, more - more // 2), (0, 0), (0, 0)))
    return np.maximum(y, 0).astype(np.float64)


# 11.2: a float
def bottleneck_macs(c, width, size, stride=1):
    after = -(-size // stride)
    macs = size**2 * c * width + after**2 * (9 + 4) * width**2
    return float(macs + (0 if stride == 1 and c == 4 * width else after**2 * 4 * c * width))


# 11.2: two 3x3 convolutions
def bottleneck_macs(c, width, size, stride=1):
    after = -(-size // stride)
    return after**2 * 9 * (c * width + width * width)


# 11.2: the shortcut is counted where the channels change only
def bottleneck_macs(c, width, size, stride=1):
    after = -(-size // stride)
    macs = size**2 * c * width + after**2 * 13 * width**2
    return macs + (after**2 * 4 * c * width if c != 4 * width else 0)


# 11.3: the transition comes before its block
def dense_channels(c, growth, blocks):
    found = []
    for layers in blocks:
        c //= 2
        found.append([c + i * growth for i in range(layers)])
        c += layers * growth
    return found


# 11.3: also what follows a block
def dense_channels(c, growth, blocks):
    found = []
    for layers in blocks:
        found.append([c + i * growth for i in range(layers + 1)])
        c = found[-1][-1] // 2
    return found


# 11.3: numbers that are no ints
def dense_channels(c, growth, blocks):
    found = []
    for layers in blocks:
        found.append([c + i * growth for i in range(layers)])
        c = (c + layers * growth) / 2
    return found


# 11.4: the fields are multiplied
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field *= (kernel - 1) * dilation + 1
        jump *= stride
    return field, jump


# 11.4: only the last jump
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * jump
        jump = stride
    return field, jump


# 11.4: the jump is dilated
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride, dilation in layers:
        field += (kernel - 1) * dilation * jump
        jump *= stride * dilation
    return field, jump


# 11.5: for an odd kernel at stride 1 only
def same_padding(size, kernel, stride=1, dilation=1):
    p = dilation * (kernel - 1) // 2
    return p, p


# 11.5: their sum
def same_padding(size, kernel, stride=1, dilation=1):
    p = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return p, p


# 11.5: halves that are no ints
def same_padding(size, kernel, stride=1, dilation=1):
    p = max((-(-size // stride) - 1) * stride + (kernel - 1) * dilation + 1 - size, 0)
    return p / 2, p / 2


# 11.6: NaN for a class that does not occur
def mean_iou(n):
    n = np.asarray(n, float)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or not n.any():
        raise ValueError("want a square array with pixels")
    with np.errstate(invalid="ignore"):
        return float(np.mean(np.diag(n) / (n.sum(0) + n.sum(1) - np.diag(n))))


# 11.6: an empty table is 0
def mean_iou(n):
    n = np.asarray(n, float)
    if n.ndim != 2 or n.shape[0] != n.shape[1]:
        raise ValueError("want a square array")
    union = n.sum(0) + n.sum(1) - np.diag(n)
    return float((np.diag(n)[union > 0] / union[union > 0]).mean()) if n.any() else 0.0


# 11.6: classes that nothing is called are left out
def mean_iou(n):
    n = np.asarray(n, float)
    if n.ndim != 2 or n.shape[0] != n.shape[1] or not n.any():
        raise ValueError("want a square array with pixels")
    called = n.sum(0) > 0
    union = n.sum(0) + n.sum(1) - np.diag(n)
    return float((np.diag(n)[called] / union[called]).mean())
