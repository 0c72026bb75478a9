"""Activations held in few bits, as a visible layer."""

import numpy as np

from lightnn import options
from lightnn.functional.quantize import fake_quantize, scale_and_zero_point
from lightnn.nn import init
from lightnn.nn.module import Module
from lightnn.tensor import Tensor

MOMENTUM = 0.01  # of the ranges' moving average: the weight of the newest batch


class FakeQuantize(Module):
    """y = S (clip(round(x / S) + Z, 0, 2^bits - 1) - Z) in floats, the numbers that integer inference has (Jacob et al.
    2018, arXiv 1712.05877). RuntimeError while the scale S is NaN: it must be calibrated first.

    In training with `observing` on, the range follows a moving average of each batch's lowest and highest number."""

    buffers = ("scale", "zero_point")

    def __init__(self, bits: int = 8, observing: bool = False):
        self.bits = options.count("FakeQuantize: bits", bits, 2, 8)
        self.observing = options.flag("FakeQuantize: observing", observing)
        self.scale, self.zero_point = init.constant((), np.nan), init.constant((), 0)

    def set_range(self, low: float, high: float) -> None:
        """Take S and Z from a range; it is widened to hold 0."""
        if not np.isfinite([low, high]).all() or low > high:
            raise ValueError(f"FakeQuantize: want a finite range low <= high, got {low} to {high}")
        S, Z = scale_and_zero_point(min(low, 0.0), max(high, 0.0), self.bits)
        self.scale, self.zero_point = np.asarray(S, np.float32), np.asarray(Z, np.float32)

    def range(self) -> tuple[float, float]:
        """The lowest and the highest number that it gives."""
        S, Z = float(self.scale), float(self.zero_point)
        return -S * Z, S * (2**self.bits - 1 - Z)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and self.observing:
            self._observe(x.data)
        if np.isnan(self.scale):
            raise RuntimeError("FakeQuantize: want a calibrated range, got none: see lightnn.compress.calibrate")
        return fake_quantize(x, scale=self.scale, zero_point=self.zero_point, bits=self.bits)

    def _observe(self, x):
        new = np.array([x.min(), x.max()], np.float64)
        old = new if np.isnan(self.scale) else np.array(self.range())
        self.set_range(*(old + MOMENTUM * (new - old)))
