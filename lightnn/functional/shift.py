"""Ops that move channels: the shift of ShiftNet and the channel shuffle of ShuffleNet. They have no parameters and cost
no MACs."""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.functional import check
from lightnn.kernels.conv import elementwise, shift
from lightnn.tensor import op


def _channels_of_shift2d(call):
    """A removed channel takes its offset along; the module must store the others (see nn.Shift2d)."""
    if not hasattr(call.module, "offsets_of"):
        return None
    call.use("offsets", 1, call.ids(call.arrays[0]))
    return same(call)


@op(channels=_channels_of_shift2d, keeps_zero=True)
def shift2d(x, dy, dx):
    """Move channel c of x (N, C, H, W) by (dy[c], dx[c]) pixels: y[n, c, h, w] = x[n, c, h + dy[c], w + dx[c]], 0
    outside (Wu et al. 2018, arXiv 1711.08141, equation 5). dy, dx: int (C,), not differentiable.

    The gradient is the negated shift.
    """
    check.floating("shift2d", x=x)
    offsets = dy.shape == dx.shape == x.shape[1:2] and dy.dtype.kind in "iu" and dx.dtype.kind in "iu"
    check.shape("shift2d", "x (N, C, H, W) and integers dy (C,), dx (C,)", x.ndim == 4 and offsets, x=x, dy=dy, dx=dx)
    dy, dx = dy.astype(np.int64), dx.astype(np.int64)
    return shift.forward(x, dy, dx), lambda g: shift.backward(g, dy, dx), None, None


def _channels_of_shuffle(call):
    """The interleaving stays what it is only if every group loses the channel in the same place."""
    split = call.ids(call.arrays[0]).reshape(call.options["groups"], -1)
    for other in split[1:]:
        call.tie(split[0], other)
    return split.T.reshape(-1)


@op(channels=_channels_of_shuffle, keeps_zero=True)
def channel_shuffle(x, *, groups: int):
    """Channel g C/G + k of x (N, C, H, W) becomes channel k G + g, so each group gets channels of all groups (Zhang et
    al. 2018, arXiv 1707.01083, section 3.1)."""
    check.floating("channel_shuffle", x=x)
    groups = options.count("channel_shuffle: groups", groups)
    fits = x.ndim == 4 and x.shape[1] % groups == 0
    check.shape("channel_shuffle", f"x (N, C, H, W) with C divisible by groups={groups}", fits, x=x)
    back = x.shape[1] // groups
    return elementwise.channel_shuffle(x, groups), lambda dy: elementwise.channel_shuffle(dy, back)
