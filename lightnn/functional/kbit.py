"""Activations and weights of K bits, as formulas: DoReFa (Zhou et al. 2016, arXiv 1606.06160), PACT (Choi et al. 2018,
arXiv 1805.06085), LSQ (Esser et al. 2020, arXiv 1902.08153).

    quantize_k(r) = round((2^k - 1) r) / (2^k - 1),     r from 0 to 1          (DoReFa, section 2.2)

A tie is rounded to the even integer. Where a gradient passes through rounding it is straight-through (STE).
"""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op


@exercise("10.1")
@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    """Activations of k = bits bits, in x's shape and dtype:

        y = round((2^k - 1) clip(x, 0, 1)) / (2^k - 1)
        dL/dx = dL/dy where 0 <= x <= 1, else 0

    The gradient is that of the straight-through estimator: rounding passes it on, clipping does not, and both ends of
    the range belong to the inside. A tie is rounded to the even integer. Infinity is clipped; for NaN y is NaN and the
    gradient 0. TypeError unless x is float32 or float64, ValueError unless bits is an int from 1 to 8.
    """
    check.floating("dorefa_activation", x=x)
    n = 2 ** options.count("dorefa_activation: bits", bits, 1, 8) - 1
    y = np.rint(np.clip(x, 0, 1) * n) / x.dtype.type(n)
    return y, lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


@exercise("10.3")
@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    """Activations of k = bits bits, in x's shape and dtype, clipped at a learned alpha:

        y = alpha round((2^k - 1) clip(x, 0, alpha) / alpha) / (2^k - 1)
        dL/dx = dL/dy where 0 < x < alpha, else 0
        dL/dalpha = sum of dL/dy where x >= alpha

    This is section 3 of arXiv 1805.06085: rounding passes the gradient on (STE). alpha: an array (1,) of x's dtype,
    clipped to LEAST_SCALE .. MOST_SCALE before it is used; its gradient has the shape (1,), and clipping it does not
    stop the gradient. A tie is rounded to the even integer. TypeError unless x and alpha are float32 or float64, both
    the same. ValueError unless alpha has the shape (1,) and bits is an int from 1 to 8.
    """
    check.floating("pact", x=x, alpha=alpha)
    check.shape("pact", "alpha (1,)", alpha.shape == (1,), alpha=alpha)
    n = 2 ** options.count("pact: bits", bits, 1, 8) - 1
    a = np.clip(alpha, LEAST_SCALE, MOST_SCALE)[0]
    y = np.rint(np.clip(x, 0, a) / a * n) / x.dtype.type(n) * a
    return (
        y,
        lambda dy: np.where((x > 0) & (x < a), dy, dy.dtype.type(0)),
        lambda dy: np.array([np.where(x >= a, dy, 0).sum()], dy.dtype),
    )


@exercise("10.4")
@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    """v in steps of a learned size s, in v's shape and dtype (section 2 of arXiv 1902.08153):

        v_hat = s round(clip(v / s, -Q_N, Q_P))
        dL/dv = dL/dv_hat where -Q_N < v / s < Q_P, else 0
        dL/ds = g sum(dL/dv_hat dv_hat/ds),    g = 1 / sqrt(n Q_P)
        dv_hat/ds = round(v / s) - v / s where -Q_N < v / s < Q_P
                    -Q_N where v / s <= -Q_N
                    Q_P where v / s >= Q_P

    `lsq_range` gives Q_N = 2^(bits-1) and Q_P = 2^(bits-1) - 1 if signed, else Q_N = 0 and Q_P = 2^bits - 1. Rounding
    passes the gradient on (STE); a tie is rounded to the even integer. g keeps the steps of s in proportion to s; n:
    how many weights, or features of an activation, s is for. s: an array (1,) of v's dtype, clipped to LEAST_SCALE ..
    MOST_SCALE before it is used; its gradient has the shape (1,), and clipping it does not stop the gradient. TypeError
    unless v and s are float32 or float64, both the same. ValueError unless s has the shape (1,), bits is an int from 2
    to 8, and n is an int >= 1.
    """
    check.floating("lsq", v=v, s=s)
    check.shape("lsq", "s (1,)", s.shape == (1,), s=s)
    Q_N, Q_P = lsq_range(options.count("lsq: bits", bits, 2, 8), options.flag("lsq: signed", signed))
    g = 1 / np.sqrt(options.count("lsq: n", n) * Q_P)
    s = np.clip(s, LEAST_SCALE, MOST_SCALE)[0]
    with np.errstate(over="ignore"):
        x = v / s
    clipped = np.clip(x, -Q_N, Q_P)
    q, inside = np.rint(clipped), (x > -Q_N) & (x < Q_P)

    def vjp_s(dy):
        return np.array([g * (dy * np.where(inside, q - clipped, clipped)).sum()], dy.dtype)

    return q * s + v.dtype.type(0), lambda dy: np.where(inside, dy, dy.dtype.type(0)), vjp_s


def lsq_range(bits: int, signed: bool) -> tuple[int, int]:
    """(Q_N, Q_P): the codes of LSQ go from -Q_N to Q_P."""
    return (2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
