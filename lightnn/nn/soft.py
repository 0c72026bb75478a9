"""What Quantization Networks compute with: steps that are sigmoids in training and hard at inference (Yang et al. 2019,
arXiv 1911.09464)."""

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.functional.soft import check_levels
from lightnn.nn import init
from lightnn.nn.module import Module, Parameter
from lightnn.tensor import Tensor


class SoftSteps(Module):
    """y = alpha (sum_i s_i sigmoid(T (beta x - b_i)) - o) in training mode, while T is finite; the hard steps
    1[beta x - b_i > 0] in eval mode, and for T = inf, where it starts (equations 7 and 12).

    Y: the levels. alpha, beta: Parameters (1,). biases: b, a buffer (n,): not learned, as in the paper's experiments.
    temperature: T, a buffer (1,), which `compress.set_temperature` sets.
    """

    buffers = ("biases", "temperature")

    def __init__(self, Y: tuple[int, ...], alpha: np.ndarray, beta: np.ndarray, biases: np.ndarray):
        self.Y = check_levels(f"{type(self).__name__}: Y", Y)
        self.alpha, self.beta, self.biases = Parameter(alpha), Parameter(beta), biases
        self.temperature = init.constant((1,), np.inf)

    def forward(self, x: Tensor) -> Tensor:
        T, given = float(self.temperature[0]), (x, self.alpha(), self.beta(), self.biases)
        if self.training and np.isfinite(T):
            return F.soft_quantize(*given, Y=self.Y, T=T)
        return F.hard_quantize(*given, Y=self.Y)


class SoftActivation(SoftSteps):
    """Activations of 1 to 8 bits: the levels 0, 1, ..., 2^bits - 1 times alpha, with o = 0, after a ReLU (section 3).

    It has no steps until `compress.start_soft_activations` gives it some; calling it before that is a RuntimeError.
    """

    def __init__(self, bits: int):
        self.bits = options.count("SoftActivation: bits", bits, 1, 8)
        nothing = [init.constant((n,), np.nan) for n in (1, 1, 2**self.bits - 1)]
        super().__init__(tuple(range(2**self.bits)), *nothing)

    def forward(self, x: Tensor) -> Tensor:
        if np.isnan(self.alpha.data).any():
            raise RuntimeError("SoftActivation: it has no steps yet: call compress.start_soft_activations")
        return super().forward(x)

    def extra_repr(self) -> str:
        return f"{self.bits} bits"
