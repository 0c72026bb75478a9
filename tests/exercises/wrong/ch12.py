"""Wrong solutions of chapter 12, beside the named mistakes of the sheet."""

import math

import numpy as np

from lightnn.functional.plain import conv2d, in_groups, windows
from lightnn.kernels.conv.planes import out_size


# 12.1: int of a quotient
def out_size(size, kernel, stride, before, after, dilation=1):
    return int((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1


# 12.1: at least 1
def out_size(size, kernel, stride, before, after, dilation=1):
    return max(1, (size + before + after - dilation * (kernel - 1) - 1) // stride + 1)


# 12.1: at least 0
def out_size(size, kernel, stride, before, after, dilation=1):
    return max(0, (size + before + after - dilation * (kernel - 1) - 1) // stride + 1)


# 12.1: a float
def out_size(size, kernel, stride, before, after, dilation=1):
    return math.floor((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1.0


# 12.1: not rounded
def out_size(size, kernel, stride, before, after, dilation=1):
    return (size + before + after - dilation * (kernel - 1) - 1) / stride + 1


# 12.1: rounded up
def out_size(size, kernel, stride, before, after, dilation=1):
    return math.ceil((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1


# 12.1: rounded to the nearest
def out_size(size, kernel, stride, before, after, dilation=1):
    return round((size + before + after - dilation * (kernel - 1) - 1) / stride) + 1


# 12.1: twice the padding before
def out_size(size, kernel, stride, before, after, dilation=1):
    return (size + 2 * before - dilation * (kernel - 1) - 1) // stride + 1


# 12.1: dilation times kernel
def out_size(size, kernel, stride, before, after, dilation=1):
    return (size + before + after - dilation * kernel) // stride + 1


# 12.1: the + 1 inside the division
def out_size(size, kernel, stride, before, after, dilation=1):
    return (size + before + after - dilation * (kernel - 1)) // stride


# 12.1: dilation 2 unless given
def out_size(size, kernel, stride, before, after, dilation=2):
    return (size + before + after - dilation * (kernel - 1) - 1) // stride + 1


# 12.1: a ValueError where nothing fits
def out_size(size, kernel, stride, before, after, dilation=1):
    found = (size + before + after - dilation * (kernel - 1) - 1) // stride + 1
    if found < 1:
        raise ValueError("the window does not fit")
    return found


# 12.2: floats
def assignment(channels, kernel_size=3, dilation=1):
    dy, dx = np.zeros(channels), np.zeros(channels)
    for c in range(channels // kernel_size**2 * kernel_size**2):
        dy[c] = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
        dx[c] = dilation * (c % kernel_size - kernel_size // 2)
    return dy, dx


# 12.2: int32
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels, dtype=np.int32)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(moved, dy, 0).astype(np.int32), np.where(moved, dx, 0).astype(np.int32)


# 12.2: lists
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(moved, dy, 0).tolist(), np.where(moved, dx, 0).tolist()


# 12.2: one array
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.stack([np.where(moved, dy, 0), np.where(moved, dx, 0)])


# 12.2: y fastest
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dy = dilation * (c % kernel_size - kernel_size // 2)
    dx = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(moved, dy, 0), np.where(moved, dx, 0)


# 12.2: one direction after the other, in equal shares
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels) // max(1, channels // kernel_size**2)
    moved = c < kernel_size**2
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(moved, dy, 0), np.where(moved, dx, 0)


# 12.2: always 3 x 3
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // 9 * 9
    return np.where(moved, dilation * (c // 3 % 3 - 1), 0), np.where(moved, dilation * (c % 3 - 1), 0)


# 12.2: the others are left over first
def assignment(channels, kernel_size=3, dilation=1):
    rest = channels % kernel_size**2
    c = np.arange(channels) - rest
    dx = dilation * (c % kernel_size - kernel_size // 2)
    dy = dilation * (c // kernel_size % kernel_size - kernel_size // 2)
    return np.where(c >= 0, dy, 0), np.where(c >= 0, dx, 0)


# 12.2: centred by half a pixel
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = dilation * (c % kernel_size - (kernel_size - 1) // 2)
    dy = dilation * (c // kernel_size % kernel_size - (kernel_size - 1) // 2)
    return np.where(moved, dy, 0), np.where(moved, dx, 0)


# 12.2: dilation added
def assignment(channels, kernel_size=3, dilation=1):
    c = np.arange(channels)
    moved = c < channels // kernel_size**2 * kernel_size**2
    dx = c % kernel_size - kernel_size // 2
    dy = c // kernel_size % kernel_size - kernel_size // 2
    grow = dilation - 1
    return np.where(moved, dy + np.sign(dy) * grow * 2, 0), np.where(moved, dx + np.sign(dx) * grow * 2, 0)


# 12.3: the inverse
def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, c // groups, groups, h, w).swapaxes(1, 2).reshape(x.shape)


# 12.3: float64
def channel_shuffle(x, groups):
    y = np.zeros(x.shape)
    for i in range(groups):
        y[:, i::groups] = x[:, i * (x.shape[1] // groups) : (i + 1) * (x.shape[1] // groups)]
    return y


# 12.3: the result has five axes
def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2)


# 12.3: the batch is shuffled
def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    return x.reshape(groups, n * c // groups, h, w).swapaxes(0, 1).reshape(x.shape)


# 12.3: the groups rotate
def channel_shuffle(x, groups):
    return np.roll(x, x.shape[1] // groups, axis=1)


# 12.3: in place
def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    x[:] = x.reshape(n, groups, c // groups, h, w).swapaxes(1, 2).reshape(x.shape).copy()
    return x


# 12.3: at random
def channel_shuffle(x, groups):
    return x[:, np.random.default_rng(0).permutation(x.shape[1])]


# 12.3: only the first two groups
def channel_shuffle(x, groups):
    n, c, h, w = x.shape
    return x.reshape(n, 2, c // 2, h, w).swapaxes(1, 2).reshape(x.shape) if groups > 1 else x


# 12.4: the direction is reversed
def shift2d(x, dy, dx):
    y = np.zeros_like(x)
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h - dy[c], w - dx[c]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: roll
def shift2d(x, dy, dx):
    return np.stack([np.roll(x[:, c], (-dy[c], -dx[c]), (1, 2)) for c in range(x.shape[1])], 1)


# 12.4: negative indices are not refused
def shift2d(x, dy, dx):
    y = np.zeros_like(x)
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h + dy[c], w + dx[c]
        if i < x.shape[2] and j < x.shape[3]:
            y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: the slices may become negative
def shift2d(x, dy, dx):
    y, (height, width) = np.zeros_like(x), x.shape[2:]
    for c, (a, b) in enumerate(zip(dy, dx)):
        top, bottom, left, right = max(0, -a), min(height, height - a), max(0, -b), min(width, width - b)
        y[:, c, top:bottom, left:right] = x[:, c, top + a : bottom + a, left + b : right + b]
    return y


# 12.4: a large offset leaves the channel as it is
def shift2d(x, dy, dx):
    y = x.copy()
    for c in range(x.shape[1]):
        if abs(dy[c]) < x.shape[2] and abs(dx[c]) < x.shape[3]:
            y[:, c] = 0
            for h, w in np.ndindex(*x.shape[2:]):
                i, j = h + dy[c], w + dx[c]
                if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
                    y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: the border is repeated
def shift2d(x, dy, dx):
    y = np.zeros_like(x)
    for c, h, w in np.ndindex(*x.shape[1:]):
        y[:, c, h, w] = x[:, c, np.clip(h + dy[c], 0, x.shape[2] - 1), np.clip(w + dx[c], 0, x.shape[3] - 1)]
    return y


# 12.4: float64
def shift2d(x, dy, dx):
    y = np.zeros(x.shape)
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h + dy[c], w + dx[c]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: dy and dx swapped
def shift2d(x, dy, dx):
    y = np.zeros_like(x)
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h + dx[c], w + dy[c]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            y[:, c, h, w] = x[:, c, i, j]
    return y


# 12.4: in place
def shift2d(x, dy, dx):
    y = x.copy()
    x[:] = 0
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h + dy[c], w + dx[c]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            x[:, c, h, w] = y[:, c, i, j]
    return x


# 12.4: only the first image
def shift2d(x, dy, dx):
    y = np.zeros_like(x)
    for c, h, w in np.ndindex(*x.shape[1:]):
        i, j = h + dy[c], w + dx[c]
        if 0 <= i < x.shape[2] and 0 <= j < x.shape[3]:
            y[0, c, h, w] = x[0, c, i, j]
    return y


# 12.5: float64
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(np.asarray(x, np.float64), ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: padding (top, left, bottom, right)
def windows(x, kernel, stride, padding, dilation):
    top, left, bottom, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: padding (left, right, top, bottom)
def windows(x, kernel, stride, padding, dilation):
    left, right, top, bottom = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: bottom and top swapped
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (bottom, top), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: the border is repeated
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), mode="edge")
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: the first stride for both axes
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[0], :: dilation[0], :: dilation[1]]


# 12.5: the second dilation for both axes
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * dilation[1] + 1 for k in kernel]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[1], :: dilation[1]]


# 12.5: the axes of the window come first
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return np.moveaxis(seen, (4, 5), (2, 3))[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: height and width of the window swapped
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]].swapaxes(4, 5)


# 12.5: the window is as long as the kernel
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [k * d for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: windows that stick out
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom + stride[0] - 1), (left, right + stride[1] - 1)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: the kernel is flipped
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]][..., ::-1, ::-1]


# 12.5: square kernels only
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip((kernel[0], kernel[0]), dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


# 12.5: a column for each output
def windows(x, kernel, stride, padding, dilation):
    top, bottom, left, right = padding
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    seen = np.lib.stride_tricks.sliding_window_view(x, reach, axis=(2, 3))
    return seen[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]].reshape(
        len(x), x.shape[1], -1, kernel[0] * kernel[1]
    )


# 12.6: float64
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen.astype(np.float64), in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: the kernel is flipped
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w[..., ::-1, ::-1], 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: the channels of a group are dealt out
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum(
        "ncgijkl,gockl->ngoij",
        in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, w.shape[1]),
        in_groups(w, 0, groups),
    )
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: the outputs of the groups alternate
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.swapaxes(1, 2).reshape(len(x), len(w), *y.shape[3:])


# 12.6: the groups are added up
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->noij", seen, in_groups(w, 0, groups))[:, None].repeat(groups, 1)
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: the input channels are not summed
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngcij", seen, in_groups(w, 0, groups))
    return np.broadcast_to(y.reshape(len(x), -1, *y.shape[3:])[:, :1], (len(x), len(w), *y.shape[3:]))


# 12.6: the mean
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:]) / np.prod(w.shape[1:]).astype(y.dtype)


# 12.6: without padding
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, (0, 0, 0, 0), dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: without dilation
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, (1, 1)), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: stride is left out
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], (1, 1), padding, dilation), 1, groups)
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: one group only
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    groups = 1
    y = np.einsum("ngcijkl,gockl->ngoij", seen, in_groups(w, 0, groups))
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.6: a loop that keeps only the last channel
def conv2d(x, w, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w.shape[2:], stride, padding, dilation), 1, groups)
    y = np.einsum("ngijkl,gokl->ngoij", seen[:, :, -1], in_groups(w, 0, groups)[:, :, -1])
    return y.reshape(len(x), len(w), *y.shape[3:])


# 12.7: float64
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen.astype(np.float64), in_groups(dy, 1, groups)).reshape(w_shape)


# 12.7: the mean of the batch
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape) / np.asarray(
        len(x), x.dtype
    )


# 12.7: the mean of the outputs
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape) / np.asarray(
        dy.shape[2] * dy.shape[3], x.dtype
    )


# 12.7: the first image only
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen[:1], in_groups(dy[:1], 1, groups)).reshape(w_shape)


# 12.7: dy is summed before
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(np.broadcast_to(dy.sum(0), dy.shape), 1, groups)).reshape(
        w_shape
    )


# 12.7: flipped
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape)[..., ::-1, ::-1]


# 12.7: the outputs of the groups alternate
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, len(dy[0]) // groups).swapaxes(1, 2)).reshape(
        w_shape
    )


# 12.7: the shape of a group
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups))


# 12.7: stride and dilation swapped
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], dilation, padding, stride), 1, groups)
    return np.einsum(
        "ngcijkl,ngoij->gockl", seen[:, :, :, : dy.shape[2], : dy.shape[3]], in_groups(dy, 1, groups)
    ).reshape(w_shape)


# 12.7: the forward pass
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return np.einsum("ngcijkl->gckl", seen)[:, None].repeat(w_shape[0] // groups, 1).reshape(w_shape)


# 12.7: no groups
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, 1)
    return np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, 1))[0, :, : w_shape[1]]


# 12.7: the sign
def conv2d_backward_weight(dy, x, w_shape, stride, padding, dilation, groups=1):
    seen = in_groups(windows(x, w_shape[2:], stride, padding, dilation), 1, groups)
    return -np.einsum("ngcijkl,ngoij->gockl", seen, in_groups(dy, 1, groups)).reshape(w_shape)


# 12.8: float64
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), np.float64)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: overwritten
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] = products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: with the padding
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx


# 12.8: the padding is cut off at the end
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, :height, :width]


# 12.8: only as much padding as above is cut off
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : dx.shape[2] - top, left : dx.shape[3] - left]


# 12.8: cut with -padding, which is empty for 0
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top:-bottom, left:-right]


# 12.8: the same stride in both axes
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[0]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: no stride in the columns
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3])
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: dilation is left out
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k + np.arange(dy.shape[2]) * stride[0]
        columns = l + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: stride and dilation swapped
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * stride[0] + np.arange(dy.shape[2]) * dilation[0]
        columns = l * stride[1] + np.arange(dy.shape[3]) * dilation[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: flipped
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., -1 - k, -1 - l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: the mean of the outputs
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l] / len(w)
    return dx[:, :, top : top + height, left : left + width]


# 12.8: the groups of the inputs alternate
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ncgijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: only the first output channel
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups)[:, :1], in_groups(dy, 1, groups)[:, :, :1])
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l]
    return dx[:, :, top : top + height, left : left + width]


# 12.8: dy is changed
def conv2d_backward_input(dy, w, x_shape, stride, padding, dilation, groups=1):
    dy *= 2
    (n, c, height, width), (top, bottom, left, right) = x_shape, padding
    dx = np.zeros((n, c, height + top + bottom, width + left + right), dy.dtype)
    products = np.einsum("gockl,ngoij->ngcijkl", in_groups(w, 0, groups), in_groups(dy, 1, groups))
    products = products.reshape(n, c, *dy.shape[2:], *w.shape[2:])
    for k, l in np.ndindex(*w.shape[2:]):
        rows = k * dilation[0] + np.arange(dy.shape[2]) * stride[0]
        columns = l * dilation[1] + np.arange(dy.shape[3]) * stride[1]
        dx[:, :, rows[:, None], columns] += products[..., k, l] / 2
    return dx[:, :, top : top + height, left : left + width]
