"""Right solutions of chapter 12, each in another style than the reference."""

import math

import numpy as np

from lightnn.functional.plain import conv2d, in_groups, windows
from lightnn.kernels.conv.planes import out_size


# 12.1: divmod
def out_size(size, kernel, stride, before, after, dilation=1):
    room = size + before + after - (dilation * (kernel - 1) + 1)
    steps, _ = divmod(room, stride)
    return steps + 1


# 12.1: math.floor
def out_size(size, kernel, stride, before, after, dilation=1):
    covered = dilation * (kernel - 1) + 1
    return int(math.floor((before + size + after - covered) / stride)) + 1


# 12.1: np.floor, a stride later
def out_size(size, kernel, stride, before, after, dilation=1):
    return int(np.floor((size + before + after - dilation * (kernel - 1) - 1 + stride) / stride))


# 12.2: a loop
def assignment(channels, kernel_size=3, dilation=1):
    dy, dx = np.zeros(channels, np.int64), np.zeros(channels, np.int64)
    area = kernel_size * kernel_size
    for c in range(channels - channels % area):
        row, column = divmod(c % area, kernel_size)
        dy[c] = dilation * (row - kernel_size // 2)
        dx[c] = dilation * (column - kernel_size // 2)
    return dy, dx


# 12.2: meshgrid and tile
def assignment(channels, kernel_size=3, dilation=1):
    offsets = dilation * (np.arange(kernel_size) - kernel_size // 2)
    y, x = np.meshgrid(offsets, offsets, indexing="ij")
    times = channels // kernel_size**2
    rest = [0] * (channels - times * kernel_size**2)
    return tuple(np.concatenate([np.tile(a.ravel(), times), rest]).astype(np.int64) for a in (y, x))


# 12.2: lists
def assignment(channels, kernel_size=3, dilation=1):
    r = range(kernel_size)
    each = [(dilation * (i - kernel_size // 2), dilation * (j - kernel_size // 2)) for i in r for j in r]
    pairs = each * (channels // len(each))
    pairs += [(0, 0)] * (channels - len(pairs))
    return np.array([p[0] for p in pairs], dtype="int64"), np.array([p[1] for p in pairs], dtype="int64")


# 12.3: an index
def channel_shuffle(x, groups):
    return x[:, np.arange(x.shape[1]).reshape(groups, -1).T.ravel()]


# 12.3: loops
def channel_shuffle(x, groups):
    y = np.empty_like(x)
    each = x.shape[1] // groups
    for i in range(groups):
        for j in range(each):
            y[:, j * groups + i] = x[:, i * each + j]
    return y


# 12.3: strided slices
def channel_shuffle(x, groups):
    y = np.zeros(x.shape, dtype=x.dtype)
    for i, part in enumerate(np.split(x, groups, axis=1)):
        y[:, i::groups] = part
    return y


# 12.4: pixel by pixel
def shift2d(x, dy, dx):
    n, channels, height, width = x.shape
    y = np.zeros(x.shape, x.dtype)
    for c in range(channels):
        for h in range(height):
            for w in range(width):
                i, j = h + dy[c], w + dx[c]
                if 0 <= i < height and 0 <= j < width:
                    y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: padding and one slice
def shift2d(x, dy, dx):
    n, channels, height, width = x.shape
    top, left = max(0, *np.abs(dy)), max(0, *np.abs(dx))
    padded = np.pad(x, [(0, 0), (0, 0), (top, top), (left, left)])
    each = [
        padded[:, c, top + a : top + a + height, left + b : left + b + width] for c, (a, b) in enumerate(zip(dy, dx))
    ]
    return np.stack(each, axis=1)


# 12.4: roll and a mask
def shift2d(x, dy, dx):
    rows, columns = np.arange(x.shape[2])[:, None], np.arange(x.shape[3])
    y = x.copy()
    for c in range(x.shape[1]):
        inside = (rows + dy[c] >= 0) & (rows + dy[c] < x.shape[2]) & (columns + dx[c] >= 0)
        inside &= columns + dx[c] < x.shape[3]
        y[:, c] = np.where(inside, np.roll(x[:, c], (-dy[c], -dx[c]), axis=(1, 2)), 0)
    return y


# 12.5: loops over taps
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    p = np.pad(x, [(0, 0), (0, 0), (top, bottom), (left, right)], mode="constant")
    out = [(p.shape[2 + a] - dilation[a] * (kernel[a] - 1) - 1) // stride[a] + 1 for a in (0, 1)]
    seen = np.empty((*x.shape[:2], *out, *kernel), x.dtype)
    for k in range(kernel[0]):
        for l in range(kernel[1]):
            r, c = k * dilation[0], l * dilation[1]
            seen[..., k, l] = p[:, :, r : r + stride[0] * out[0] : stride[0], c : c + stride[1] * out[1] : stride[1]][
                :, :, : out[0], : out[1]
            ]
    return seen


# 12.5: index arrays
def windows(x, kernel, stride, padding, dilation):
    n, c, h, w = x.shape
    p = np.zeros((n, c, h + padding[0] + padding[1], w + padding[2] + padding[3]), dtype=x.dtype)
    p[:, :, padding[0] : padding[0] + h, padding[2] : padding[2] + w] = x
    ho = (p.shape[2] - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    wo = (p.shape[3] - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    rows = stride[0] * np.arange(ho)[:, None, None, None] + dilation[0] * np.arange(kernel[0])[:, None]
    columns = stride[1] * np.arange(wo)[:, None, None] + dilation[1] * np.arange(kernel[1])
    return p[:, :, rows, columns]


# 12.5: as_strided
def windows(x, kernel, stride, padding, dilation):
    (sv, sh), (dv, dh) = stride, dilation
    p = np.ascontiguousarray(np.pad(x, ((0, 0), (0, 0), padding[:2], padding[2:])))
    ho = out_size(x.shape[2], kernel[0], sv, padding[0], padding[1], dv)
    wo = out_size(x.shape[3], kernel[1], sh, padding[2], padding[3], dh)
    n, c, h, w = p.strides
    return np.lib.stride_tricks.as_strided(p, (*p.shape[:2], ho, wo, *kernel), (n, c, h * sv, w * sh, h * dv, w * dh))


# 12.6: a loop over groups
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = windows(x, w.shape[2:], stride, padding, dilation)
    each, per = x.shape[1] // groups, len(w) // groups
    parts = []
    for g in range(groups):
        mine = seen[:, g * each : (g + 1) * each]
        parts.append(np.tensordot(mine, w[g * per : (g + 1) * per], axes=([1, 4, 5], [1, 2, 3])).transpose(0, 3, 1, 2))
    return np.concatenate(parts, axis=1)


# 12.6: loops over everything but the batch, float64 inside
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = windows(x, w.shape[2:], stride, padding, dilation).astype(np.float64)
    n, _, ho, wo = seen.shape[:4]
    y = np.zeros((n, w.shape[0], ho, wo))
    for o in range(w.shape[0]):
        first = o // (w.shape[0] // groups) * w.shape[1]
        for c in range(w.shape[1]):
            for k in range(w.shape[2]):
                for l in range(w.shape[3]):
                    y[:, o] += float(w[o, c, k, l]) * seen[:, first + c, :, :, k, l]
    return y.astype(x.dtype)


# 12.6: im2col and a matrix product
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = windows(x, w.shape[2:], stride, padding, dilation)
    n, _, ho, wo = seen.shape[:4]
    columns = seen.transpose(0, 2, 3, 1, 4, 5).reshape(n * ho * wo, groups, -1)
    matrix = w.reshape(groups, len(w) // groups, -1)
    y = np.stack([columns[:, g] @ matrix[g].T for g in range(groups)], axis=1)
    return y.reshape(n, ho, wo, len(w)).transpose(0, 3, 1, 2)


# 12.7: tensordot in a loop over groups
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = windows(x, w_shape[2:], stride, padding, dilation)
    dw = np.empty(w_shape, dy.dtype)
    per = w_shape[0] // groups
    for g in range(groups):
        mine = seen[:, g * w_shape[1] : (g + 1) * w_shape[1]]
        dw[g * per : (g + 1) * per] = np.tensordot(dy[:, g * per : (g + 1) * per], mine, ([0, 2, 3], [0, 2, 3]))
    return dw


# 12.7: loops over the weights
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    dw = np.zeros(w_shape, dtype=x.dtype)
    seen = windows(x, w_shape[2:], stride, padding, dilation)
    for o, c, k, l in np.ndindex(*w_shape):
        channel = o // (w_shape[0] // groups) * w_shape[1] + c
        dw[o, c, k, l] = (dy[:, o] * seen[:, channel, :, :, k, l]).sum()
    return dw


# 12.7: a convolution with a one-hot kernel
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    dw = np.zeros(w_shape, dy.dtype)
    for c, k, l in np.ndindex(*w_shape[1:]):
        w = np.zeros(w_shape, dy.dtype)
        w[:, c, k, l] = 1
        dw[:, c, k, l] = (conv2d(x, w, stride, padding, dilation, groups) * dy).sum((0, 2, 3))
    return dw


# 12.8: loops, pixel by pixel
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    dx = np.zeros(x_shape, dy.dtype)
    per = w.shape[0] // groups
    for o, i, j in np.ndindex(*dy.shape[1:]):
        for c, k, l in np.ndindex(*w.shape[1:]):
            h = i * stride[0] + k * dilation[0] - padding[0]
            v = j * stride[1] + l * dilation[1] - padding[2]
            if 0 <= h < x_shape[2] and 0 <= v < x_shape[3]:
                dx[:, o // per * w.shape[1] + c, h, v] += w[o, c, k, l] * dy[:, o, i, j]
    return dx


# 12.8: strided slices, one group after the other
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    top, bottom, left, right = padding
    n, c, h, v = x_shape
    dx = np.zeros((n, c, h + top + bottom, v + left + right), w.dtype)
    each, per = c // groups, len(w) // groups
    for g in range(groups):
        mine = dy[:, g * per : (g + 1) * per]
        for k in range(w.shape[2]):
            for l in range(w.shape[3]):
                r, s = k * dilation[0], l * dilation[1]
                place = dx[:, g * each : (g + 1) * each]
                place = place[:, :, r : r + (dy.shape[2] - 1) * stride[0] + 1 : stride[0]]
                place = place[:, :, :, s : s + (dy.shape[3] - 1) * stride[1] + 1 : stride[1]]
                place += np.tensordot(mine, w[g * per : (g + 1) * per, :, k, l], (1, 0)).transpose(0, 3, 1, 2)
    return dx[:, :, top : dx.shape[2] - bottom, left : dx.shape[3] - right]


# 12.8: np.add.at on the numbers of the pixels
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    n, c, h, v = x_shape
    pixels = np.arange(1, h * v + 1, dtype=np.int64).reshape(1, 1, h, v)  # 0 is the padding
    at = windows(pixels, w.shape[2:], stride, padding, dilation)[0, 0]
    dx = np.zeros((n, c, h * v + 1), dy.dtype)
    each, per = c // groups, len(w) // groups
    for g in range(groups):
        parts = np.einsum("nohw,ockl->nchwkl", dy[:, g * per : (g + 1) * per], w[g * per : (g + 1) * per])
        for b in range(n):
            for j in range(each):
                np.add.at(dx[b, g * each + j], at, parts[b, j])
    return dx[:, :, 1:].reshape(x_shape)
