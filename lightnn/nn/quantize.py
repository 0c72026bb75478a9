"""Quantized activations as layers that are seen in the network."""

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.functional.quantize import scale_and_zero_point
from lightnn.nn import init
from lightnn.nn.module import Module
from lightnn.tensor import Tensor


class FakeQuantize(Module):
    """y = S (clip(round(x / S) + Z, 0, 2^bits - 1) - Z) (Jacob et al. 2018, arXiv 1712.05877, equation 12).

    scale: S, zero_point: Z, and observed: the range [min, max] of x, are buffers (1,), (1,), (2,). Until `set_range` is
    called, or training has observed x, the scale is NaN, and calling the layer is a RuntimeError.
    observing: in training, observed <- (1 - momentum) observed + momentum [min, max] of the batch (section 3.1).
    symmetric: the range is [-m, m], and Z = 2^(bits-1).
    """

    buffers = ("scale", "zero_point", "observed")

    def __init__(self, bits: int = 8, symmetric: bool = False, observing: bool = False, momentum: float = 0.01):
        self.bits = options.count("FakeQuantize: bits", bits, 2, 8)
        self.symmetric = options.flag("FakeQuantize: symmetric", symmetric)
        self.observing = options.flag("FakeQuantize: observing", observing)
        self.momentum = options.probability("FakeQuantize: momentum", momentum)
        self.scale, self.observed = init.constant((1,), np.nan), init.constant((2,), np.nan)
        self.zero_point = np.zeros(1, np.int64)

    def set_range(self, low: float, high: float) -> None:
        """Take S and Z from the range of x. ValueError unless low <= high and both are finite."""
        q_min, q_max = int(self.symmetric), 2**self.bits - 1
        if self.symmetric:
            high = max(-low, high)
            low = -high
        S, Z = scale_and_zero_point(np.array([low]), np.array([high]), q_min=q_min, q_max=q_max)
        self.scale, self.zero_point = S, Z

    def _observe(self, x):
        now = np.array([x.min(), x.max()], np.float32)
        if not np.isfinite(now).all():
            raise ValueError(f"FakeQuantize: want finite x to observe, got numbers from {now[0]} to {now[1]}")
        old = now if np.isnan(self.observed).any() else self.observed
        self.observed = ((1 - self.momentum) * old + self.momentum * now).astype(np.float32)
        self.set_range(*self.observed.tolist())

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.observing and np.size(x):
            self._observe(np.asarray(x))
        if np.isnan(self.scale).any():
            raise RuntimeError("FakeQuantize: it is not calibrated: call set_range, or train it with observing=True")
        given = {"scale": self.scale.item(), "zero_point": self.zero_point.item()}
        return F.fake_quantize(x, **given, q_min=0, q_max=2**self.bits - 1)

    def extra_repr(self) -> str:
        S = self.scale.item()
        return f"{self.bits} bits, " + (
            "not calibrated" if np.isnan(S) else f"scale {S:.3g}, zero {self.zero_point[0]}"
        )
