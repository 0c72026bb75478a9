"""Quantized activations as layers that are seen in the network."""

import math

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.functional.kbit import lsq_range
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE, scale_and_zero_point
from lightnn.nn import init
from lightnn.nn.module import Module, Parameter
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
            self._observe(Tensor(x).data)
        if np.isnan(self.scale).any():
            raise RuntimeError("FakeQuantize: it is not calibrated: call set_range, or train it with observing=True")
        given = {"scale": self.scale.item(), "zero_point": self.zero_point.item()}
        return F.fake_quantize(x, **given, q_min=0, q_max=2**self.bits - 1)

    def extra_repr(self) -> str:
        S = self.scale.item()
        return f"{self.bits} bits, " + (
            "not calibrated" if np.isnan(S) else f"scale {S:.3g}, zero {self.zero_point[0]}"
        )


class DoReFaActivation(Module):
    """y = quantize_k(clip(x, 0, 1)), k = bits from 1 to 8 (Zhou et al. 2016, arXiv 1606.06160, section 2.4)."""

    def __init__(self, bits: int):
        self.bits = options.count("DoReFaActivation: bits", bits, 1, 8)

    def forward(self, x: Tensor) -> Tensor:
        return F.dorefa_activation(x, bits=self.bits)


class PACT(Module):
    """y = a quantize_k(clip(x, 0, a) / a), k = bits from 1 to 8: a ReLU whose upper end a is learned (Choi et al. 2018,
    arXiv 1805.06085, section 3).

    alpha: where a begins. clip: a, a Parameter (1,); the paper trains it with weight decay.
    """

    def __init__(self, bits: int, alpha: float = 10.0):
        self.bits = options.count("PACT: bits", bits, 1, 8)
        self.alpha = options.number("PACT: alpha", alpha, at_least=LEAST_SCALE, at_most=MOST_SCALE)
        self.clip = Parameter(init.constant((1,), self.alpha))

    def forward(self, x: Tensor) -> Tensor:
        return F.pact(x, self.clip(), bits=self.bits)


class LSQActivation(Module):
    """y = s round(clip(x / s, -Q_N, Q_P)) with a learned step s (Esser et al. 2020, arXiv 1902.08153); `functional.lsq`
    has Q_N, Q_P and the gradients. 2 to 8 bits.

    step: s, a Parameter (1,). It is NaN until training has seen a first batch, which sets it to 2 E|x| / sqrt(Q_P);
    calling the layer before that is a RuntimeError.
    """

    def __init__(self, bits: int, signed: bool = False):
        self.bits = options.count("LSQActivation: bits", bits, 2, 8)
        self.signed = options.flag("LSQActivation: signed", signed)
        self.step = Parameter(init.constant((1,), np.nan))

    def _begin(self, x):
        s = 2 * np.abs(x).mean(dtype=np.float64) / np.sqrt(lsq_range(self.bits, self.signed)[1])
        if not np.isfinite(s):
            raise ValueError(f"LSQActivation: want finite x for the first step, got {np.ravel(x)[:3]}")
        self.step.data = np.clip([s or 1.0], LEAST_SCALE, MOST_SCALE).astype(np.float32)

    def forward(self, x: Tensor) -> Tensor:
        if np.isnan(self.step.data).any():
            if not (self.training and np.size(x)):
                raise RuntimeError("LSQActivation: it has no step yet: train it, or set step.data")
            self._begin(Tensor(x).data)
        features = math.prod(np.shape(x)[1:])
        return F.lsq(x, self.step(), bits=self.bits, signed=self.signed, n=max(features, 1))
