"""Activations of one bit, and what XNOR-Net scales them back with (Rastegari et al. 2016, arXiv 1603.05279).

The sign has the derivative 0 everywhere but at 0. Each op here puts another one in its place (a straight-through
estimator, STE); an STE is tested by its formula, for finite differences would give 0.
"""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.functional.pool import window
from lightnn.kernels.conv import pool
from lightnn.options import Pair
from lightnn.tensor import op


@exercise("09.1")
@op(channels=same, finishes_layer=True)
def sign(x):
    """+1 where x >= 0, else -1, in x's shape and dtype, with the derivative of the hard tanh:

        dL/dx = dL/dy where |x| <= 1, else 0

    This is equation 4 of Courbariaux, Hubara et al. 2016 (arXiv 1602.02830). One bit has no third value, so the sign of
    0, and of -0.0, is +1. The ends |x| = 1 belong to the inside. NaN stays NaN, and its gradient is 0. TypeError unless
    x is float32 or float64.
    """
    check.floating("sign", x=x)
    return signs_of(x), lambda dy: np.where(np.abs(x) <= 1, dy, dy.dtype.type(0))


@exercise("09.4")
@op(channels=same, finishes_layer=True)
def approx_sign(x):
    """+1 where x >= 0, else -1, in x's shape and dtype, with the derivative of a smoother curve than the hard tanh:

        dL/dx = (2 - 2 |x|) dL/dy where |x| < 1, else 0

    The curve is made of two parabolas, 2x + x^2 below 0 and 2x - x^2 above it: the ApproxSign of Liu et al. 2018
    ("Bi-Real Net", arXiv 1808.00278). Between it and the sign lies two thirds of what lies between the hard tanh and
    the sign. The sign of 0, and of -0.0, is +1. NaN stays NaN, and its gradient is 0. TypeError unless x is float32 or
    float64.
    """
    check.floating("approx_sign", x=x)
    return signs_of(x), lambda dy: dy * (2 * np.fmax(1 - np.abs(x), 0))


def signs_of(x: np.ndarray) -> np.ndarray:
    """+1 where x >= 0, else -1, in x's dtype; NaN stays NaN."""
    one = x.dtype.type(1)
    y = np.where(x >= 0, one, -one)
    if x.size and np.isnan(x.min()):
        y[np.isnan(x)] = np.nan
    return y


@op
def input_scale(x, *, kernel_size: Pair, stride: Pair = 1, padding: Pair = 0):
    """K (N, 1, H', W'), by which XNOR-Net multiplies the product of signs, for the input x (N, C, H, W) of a
    convolution with these options:

        A = mean of |x| over the channels,    K = A * k,    k_ij = 1 / (w h)

    This is section 3.2 of arXiv 1603.05279: K is A's mean in each window of w x h = kernel_size pixels; the zeros of
    the padding count. sum(|x|) / n is the best scale for one window, as for a filter, and K is that up to the channels'
    order. Its gradient is exact; that of |x| at 0 is 0. TypeError unless x is float32 or float64, ValueError unless the
    window fits and padding is at most half the kernel.
    """
    check.shape("input_scale", "x (N, C, H, W), C > 0", x.ndim == 4 and x.shape[1] > 0, x=x)
    stride = options.pair("input_scale: stride", stride, at_least=1)  # in a pool, None would be the kernel's size
    kernel, stride, padding, extra = window("input_scale", x, kernel_size, stride, padding, False)
    how = kernel, stride, padding, True, extra
    A = np.abs(x).mean(1, keepdims=True)
    return pool.avg_pool2d(A, *how), lambda dy: np.sign(x) / x.shape[1] * pool.avg_pool2d_backward(dy, A.shape, *how)
