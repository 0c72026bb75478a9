"""Quantization as a sum of sigmoids (Yang et al. 2019, "Quantization Networks", arXiv 1911.09464).

    soft, for training:     y = alpha (sum_i s_i sigmoid(T (beta x - b_i)) - o)          (equation 7)
    hard, for inference:    y = alpha (sum_i s_i 1[beta x - b_i > 0] - o)                (equation 12)

Y are the n + 1 levels that beta x may be rounded to, s_i = Y_(i+1) - Y_i the heights of the n steps between them, b_i
where they stand, T the temperature. o moves the lowest step down to Y_1: it is half the sum of the s_i for levels that
are symmetric about 0 (weights), and 0 for levels that begin with 0 (activations), so o = -Y_1.
"""

import itertools

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.functional.activation import logistic
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op

MOST_BETA = 1 / LEAST_SCALE
MOST_LEVEL = 2**15


@exercise("07.6")
@op(channels=same)
def soft_quantize(x, alpha, beta, b, *, Y, T: float):
    """The soft form y, in x's shape and dtype, and its gradients, with p_i = sigmoid(T (beta x - b_i)), dy = dL/dy:

        y = alpha (sum_i s_i p_i - o),    s_i = Y_(i+1) - Y_i,    o = -Y_1
        dL/dx = dy alpha beta T sum_i s_i p_i (1 - p_i)
        dL/dalpha = sum of dy (sum_i s_i p_i - o)
        dL/dbeta = sum of dy alpha T x sum_i s_i p_i (1 - p_i)
        dL/db_i = -sum of dy alpha T s_i p_i (1 - p_i)

    This is equation 7 of arXiv 1911.09464; its equations 8 to 11 give these gradients if their g is alpha s_i p_i. The
    sums go over all of x. alpha, beta: arrays (1,); alpha is clipped to LEAST_SCALE .. MOST_SCALE and beta to
    LEAST_SCALE .. MOST_BETA before they are used, and clipping does not stop the gradient. b: (n,). Their gradients
    have their shapes. Y: n + 1 ints, ascending. T: a number from LEAST_SCALE to MOST_SCALE. Nothing overflows, however
    large T is: far from a step p_i is 0 or 1, and p_i (1 - p_i) is 0. TypeError unless all arrays are float32 or
    float64, all the same. ValueError for other shapes, another Y or another T.
    """
    Y, alpha, beta = checked("soft_quantize", x, alpha, beta, b, Y)
    T = options.number("soft_quantize: T", T, at_least=LEAST_SCALE, at_most=MOST_SCALE)
    s, v = np.diff(Y), times(beta, x)
    steps, slope = np.full(x.shape, Y[0], x.dtype), np.zeros(x.shape, x.dtype)
    for s_i, b_i in zip(s, b):
        p, p_1_minus_p = logistic(times(T, v - b_i))
        steps += s_i * p  # sum_i s_i p_i - o
        slope += s_i * p_1_minus_p

    def vjp_b(dy):
        slopes = (s_i * logistic(times(T, v - b_i))[1] for s_i, b_i in zip(s, b))
        return np.array([-alpha * T * (dy * slope_i).sum() for slope_i in slopes], b.dtype)

    return (
        alpha * steps,
        lambda dy: dy * (alpha * beta * T * slope),
        lambda dy: np.array([(dy * steps).sum()]),
        lambda dy: np.array([alpha * T * (dy * x * slope).sum()]),
        vjp_b,
    )


@exercise("07.3")
@op(channels=same)
def hard_quantize(x, alpha, beta, b, *, Y):
    """The hard form y, in x's shape and dtype, and its gradients, with dy = dL/dy:

        y = alpha (sum_i s_i 1[beta x - b_i > 0] - o)
        s_i = Y_(i+1) - Y_i,    o = -Y_1
        dL/dalpha = sum of dy (sum_i s_i 1[beta x - b_i > 0] - o)

    This is equation 12 of arXiv 1911.09464. y does not change with x, beta or b, except where it jumps: their gradients
    are 0, in their shapes. At a boundary, beta x = b_i, the step is not taken. alpha, beta: arrays (1,); alpha is
    clipped to LEAST_SCALE .. MOST_SCALE and beta to LEAST_SCALE .. MOST_BETA before they are used, and clipping does
    not stop the gradient. b: (n,), ascending. Y: n + 1 ints, ascending. NaN stays NaN. TypeError unless all arrays are
    float32 or float64, all the same. ValueError for other shapes or another Y.
    """
    Y, alpha, beta = checked("hard_quantize", x, alpha, beta, b, Y)
    steps = np.where(np.isnan(x), x, Y[hard_codes(x, beta, b)])
    return (
        alpha * steps,
        lambda dy: np.zeros(x.shape),
        lambda dy: np.array([(dy * steps).sum()]),
        lambda dy: np.zeros(1),
        lambda dy: np.zeros(b.shape),
    )


def hard_codes(x: np.ndarray, beta, b: np.ndarray) -> np.ndarray:
    """How many of the steps b, ascending, are taken: beta x > b_i. int64, in x's shape."""
    return np.searchsorted(b, times(beta, x), side="left")


def check_levels(name: str, Y) -> tuple[int, ...]:
    """The levels as ints: 2 to 256 of them, ascending."""
    Y = options.ints(name, Y, want := f"2 to 256 ascending ints from {-MOST_LEVEL} to {MOST_LEVEL}", -MOST_LEVEL)
    if not 2 <= len(Y) <= 256 or any(a >= b for a, b in itertools.pairwise(Y)) or Y[-1] > MOST_LEVEL:
        raise options.wrong(name, want, Y)
    return Y


def checked(where: str, x, alpha, beta, b, Y) -> tuple[np.ndarray, float, float]:
    """(Y in x's dtype, alpha, beta as numbers of x's dtype), checked."""
    check.floating(where, x=x, alpha=alpha, beta=beta, b=b)
    Y = check_levels(f"{where}: Y", Y)
    n = len(Y) - 1
    fits = alpha.shape == beta.shape == (1,) and b.shape == (n,)
    check.shape(where, f"alpha (1,), beta (1,) and b ({n},)", fits, alpha=alpha, beta=beta, b=b)
    alpha, beta = np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0], np.clip(beta, LEAST_SCALE, MOST_BETA)[0]
    return np.array(Y, x.dtype), x.dtype.type(alpha), x.dtype.type(beta)


def times(a: float, x: np.ndarray) -> np.ndarray:
    """a x in x's dtype, infinite where it overflows."""
    with np.errstate(over="ignore"):
        return x * x.dtype.type(a)
