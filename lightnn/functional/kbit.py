"""Activations and weights of K bits, as formulas: DoReFa (Zhou et al. 2016, arXiv 1606.06160), PACT (Choi et al. 2018,
arXiv 1805.06085), LSQ (Esser et al. 2020, arXiv 1902.08153).

    quantize_k(r) = round((2^k - 1) r) / (2^k - 1),     r from 0 to 1          (DoReFa, equation 5)

A tie is rounded to the even integer. Where a gradient passes through rounding it is straight-through (STE).
"""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.functional import check
from lightnn.functional.quantize import LEAST_SCALE, MOST_SCALE
from lightnn.tensor import op


@op(channels=same, keeps_zero=True)
def dorefa_activation(x, *, bits: int):
    """y = quantize_k(clip(x, 0, 1)), k = bits from 1 to 8. STE: dL/dx = dL/dy for x from 0 to 1, else 0."""
    check.floating("dorefa_activation", x=x)
    n = 2 ** options.count("dorefa_activation: bits", bits, 1, 8) - 1
    y = np.rint(np.clip(x, 0, 1) * n) / x.dtype.type(n)
    return y, lambda dy: np.where((x >= 0) & (x <= 1), dy, dy.dtype.type(0))


@op(channels=same, keeps_zero=True)
def pact(x, alpha, *, bits: int):
    """y = alpha quantize_k(clip(x, 0, alpha) / alpha), k = bits from 1 to 8 (equations 1 and 2 of arXiv 1805.06085).

    alpha: an array (1,), held between 2^-126 and 2^110. STE: dL/dx = dL/dy for 0 < x < alpha, else 0, and
    dL/dalpha = sum of dL/dy where x >= alpha (equation 3).
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


@op(channels=same, keeps_zero=True)
def lsq(v, s, *, bits: int, signed: bool = True, n: int = 1):
    """v_hat = s round(clip(v / s, -Q_N, Q_P)) (equations 1 and 2 of arXiv 1902.08153), with Q_N = 2^(bits-1) and
    Q_P = 2^(bits-1) - 1 if signed, else 0 and 2^bits - 1; bits from 2 to 8.

    s: the step, an array (1,), held between 2^-126 and 2^110. STE: dL/dv = dL/dv_hat inside the range, else 0, and

        dv_hat/ds = round(v/s) - v/s inside the range, -Q_N below it, Q_P above it          (equation 3)

    times 1 / sqrt(n Q_P) (section 2.2). n: how many weights, or features of an activation, the step is for.
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
    """(Q_N, Q_P)."""
    return (2 ** (bits - 1), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
