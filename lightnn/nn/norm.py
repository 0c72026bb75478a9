"""Batch normalization as a layer: two trained vectors and two running statistics."""

import numpy as np

from lightnn import functional as F
from lightnn import options
from lightnn.functional.norm import momentum_and_eps
from lightnn.nn import init
from lightnn.nn.module import Module, Parameter


class _BatchNorm(Module):
    """weight and bias (num_features,) are trained; running_mean and running_var are buffers, updated in training.

    num_batches_tracked counts the training batches, as PyTorch's does; it is in the state_dict, and nothing needs it.
    """

    buffers = ("running_mean", "running_var")
    counters = ("num_batches_tracked",)
    axes = ()  # how many axes x may have

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        num_features = self.num_features = options.count(f"{type(self).__name__}: num_features", num_features)
        self.momentum, self.eps = momentum_and_eps(type(self).__name__, momentum, eps)
        self.weight = Parameter(init.constant((num_features,), 1))
        self.bias = Parameter(init.constant((num_features,), 0))
        self.running_mean = init.constant((num_features,), 0)
        self.running_var = init.constant((num_features,), 1)
        self.num_batches_tracked = 0

    def fit_sizes(self):
        (self.num_features,) = self.weight.shape

    def forward(self, x):
        if len(np.shape(x)) not in self.axes:
            want = " or ".join(("(N, C)", "(N, C, L)", "(N, C, H, W)")[n - 2] for n in self.axes)
            raise ValueError(f"{type(self).__name__}: want x {want}; got {np.shape(x)}")
        self.num_batches_tracked += self.training
        return F.batch_norm(
            x,
            self.weight(),
            self.bias(),
            running_mean=self.running_mean,
            running_var=self.running_var,
            training=self.training,
            momentum=self.momentum,
            eps=self.eps,
        )


class BatchNorm1d(_BatchNorm):
    """Batch normalization of x (N, C) or (N, C, L), over N and L."""

    axes = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Batch normalization of x (N, C, H, W), over N, H and W."""

    axes = (4,)
