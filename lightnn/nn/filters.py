"""Layers that move channels and have no parameters: the shift of ShiftNet, the channel shuffle of ShuffleNet."""

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.kernels.conv import shift
from lightnn.nn.module import Module
from lightnn.tensor import Tensor


class Shift2d(Module):
    """Move channel c by offset c mod K^2 of a K x K neighbourhood, K = kernel_size odd, times dilation (Wu et al. 2018,
    arXiv 1711.08141). If K^2 does not divide the number of channels, the remaining ones are not moved."""

    def __init__(self, kernel_size: int = 3, dilation: int = 1):
        self.kernel_size, self.dilation = options.counts("Shift2d", kernel_size=kernel_size, dilation=dilation)
        if self.kernel_size % 2 == 0:
            raise ValueError(f"Shift2d: want an odd kernel_size, got {kernel_size}")
        self.offsets = None

    @property
    def buffers(self):
        return () if self.offsets is None else ("offsets",)

    def offsets_of(self, channels: int) -> np.ndarray:
        """dy and dx of each channel, (2, C)."""
        fixed = self.offsets is not None
        return self.offsets if fixed else np.stack(shift.assignment(channels, self.kernel_size, self.dilation))

    def forward(self, x: Tensor) -> Tensor:
        return F.shift2d(x, *self.offsets_of(x.shape[1]))


class ChannelShuffle(Module):
    """Interleave the channels of `groups` groups (Zhang et al. 2018, arXiv 1707.01083)."""

    def __init__(self, groups: int):
        self.groups = options.count("ChannelShuffle: groups", groups)

    def forward(self, x: Tensor) -> Tensor:
        return F.channel_shuffle(x, groups=self.groups)
