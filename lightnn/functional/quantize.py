"""Quantization to integer codes of K bits, as formulas.

    r = S (q - Z)          (Jacob et al. 2018, arXiv 1712.05877, equation 1)

r is a real number, q its code, an integer from q_min to q_max, S > 0 the scale, and Z the zero point, the code of 0.
S and Z are numbers, or arrays (O,): one for each index of the first axis. A tie is rounded to the even code.
"""

import numpy as np

from lightnn import options
from lightnn.declare import same
from lightnn.exercise import exercise
from lightnn.functional import check
from lightnn.tensor import op

LEAST_SCALE = 2.0**-126  # with these S (q - Z) stays finite, and S normal, in float32
MOST_SCALE = 2.0**110
WIDEST_CODE = 2**15


@exercise("08.1")
def scale_and_zero_point(low, high, *, q_min: int = 0, q_max: int = 255) -> tuple[np.ndarray, np.ndarray]:
    """(S, Z), float32 and int64, of the codes q_min .. q_max for the range from low to high:

        S = (high - low) / (q_max - q_min)
        Z = clip(round(q_min - low / S), q_min, q_max)

    low and high are numbers or arrays of one shape; S and Z have that shape. A range without 0 is widened to 0 first,
    so that Z stands for exactly 0. A range of 0 alone has S = 1. S is clipped to LEAST_SCALE .. MOST_SCALE. Z is
    computed in float64 from the S that is returned, the float32 number; a tie is rounded to the even number. ValueError
    unless low <= high and both are finite.
    """
    q_min, q_max = code_range("scale_and_zero_point", q_min, q_max)
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    if low.shape != high.shape or not (np.isfinite(low) & np.isfinite(high) & (low <= high)).all():
        raise ValueError(f"scale_and_zero_point: want finite low <= high; got {low!s:.60} and {high!s:.60}")
    low, high, n = np.minimum(low, 0), np.maximum(high, 0), q_max - q_min
    S = np.clip(high / n - low / n, LEAST_SCALE, MOST_SCALE)
    S = np.where(low == high, 1.0, S).astype(np.float32)
    return S, np.clip(np.rint(q_min - low / S), q_min, q_max).astype(np.int64)


def affine_quantize(x: np.ndarray, *, scale=1.0, zero_point=0, q_min: int = 0, q_max: int = 255) -> np.ndarray:
    """The codes q = clip(round(x / S) + Z, q_min, q_max), in the smallest integer dtype. ValueError unless x is
    finite."""
    x = np.asarray(x)
    S, Z, q_min, q_max = checked("affine_quantize", x, scale, zero_point, q_min, q_max)
    if not np.isfinite(x).all():
        raise ValueError(
            f"affine_quantize: want finite x; got {np.count_nonzero(~np.isfinite(x))} numbers that are not"
        )
    with np.errstate(over="ignore"):  # a number far outside the range is clipped
        q = np.rint(x / S) + Z
    fits = (t for t in (np.int8, np.uint8, np.int16, np.int32) if np.iinfo(t).min <= q_min and q_max <= np.iinfo(t).max)
    return np.asarray(np.clip(q, q_min, q_max)).astype(next(fits))


def affine_dequantize(q: np.ndarray, *, scale=1.0, zero_point=0) -> np.ndarray:
    """r = S (q - Z), in the dtype of scale, float32 for a number."""
    q = np.asarray(q)
    is_array = isinstance(scale, np.ndarray) and scale.dtype.kind == "f"
    x = np.empty(q.shape, scale.dtype if is_array else np.float32)
    S, Z = scale_and_zero("affine_dequantize", x, scale, zero_point, (-WIDEST_CODE, WIDEST_CODE))
    return np.asarray((q.astype(x.dtype) - Z) * S)


@exercise("08.2")
@op(channels=same, keeps_zero=True)
def fake_quantize(x, *, scale=1.0, zero_point=0, q_min: int = 0, q_max: int = 255):
    """x as its codes say it, in x's shape and dtype (equation 12 of arXiv 1712.05877):

        y = S (clip(q, q_min, q_max) - Z),    q = round(x / S) + Z
        dL/dx = dL/dy where q_min <= q <= q_max, else 0

    The gradient is that of the straight-through estimator (Bengio, Leonard & Courville 2013, arXiv 1308.3432): it
    passes where the code is not clipped, the ends q_min and q_max included. scale and zero_point: S and Z, numbers, or
    arrays (O,) with one for each index of x's first axis; `checked` turns both into what can be combined with x. A tie
    is rounded to the even number. An infinite x is clipped; for NaN y is NaN and the gradient 0.
    """
    S, Z, q_min, q_max = checked("fake_quantize", x, scale, zero_point, q_min, q_max)
    with np.errstate(over="ignore"):  # a number far outside the range is clipped
        q = np.rint(x / S) + Z
    inside = (q_min <= q) & (q <= q_max)
    return (np.clip(q, q_min, q_max) - Z) * S, lambda dy: np.where(inside, dy, dy.dtype.type(0))


def checked(where: str, x: np.ndarray, scale, zero_point, q_min: int, q_max: int) -> tuple:
    """(S, Z, q_min, q_max), checked: S and Z in x's dtype, of shape () or, one for each index of x's first axis,
    (O, 1, ...). TypeError unless x is floats."""
    check.floating(where, x=x)
    q_min, q_max = code_range(where, q_min, q_max)
    return *scale_and_zero(where, x, scale, zero_point, (q_min, q_max)), q_min, q_max


def code_range(where: str, q_min: int, q_max: int) -> tuple[int, int]:
    """(q_min, q_max) as ints. ValueError unless q_min < q_max and both are codes of at most 16 bits."""
    q_min = options.count(f"{where}: q_min", q_min, -WIDEST_CODE, WIDEST_CODE - 1)
    return q_min, options.count(f"{where}: q_max", q_max, q_min + 1, WIDEST_CODE)


def scale_and_zero(where, x, scale, zero_point, codes):
    """S and Z in x's dtype, numbers or shaped (O, 1, ...), after a check."""
    S = _along(
        f"{where}: scale", scale, x, lambda name, v: options.number(name, v, at_least=LEAST_SCALE, at_most=MOST_SCALE)
    )
    return S, _along(f"{where}: zero_point", zero_point, x, lambda name, v: options.count(name, v, *codes))


def _along(name, value, x, checked):
    """One number, or one for each index of x's first axis."""
    alone = not isinstance(value, tuple | list | np.ndarray) or (isinstance(value, np.ndarray) and value.ndim == 0)
    if alone:
        return np.asarray(checked(name, value[()] if isinstance(value, np.ndarray) else value), x.dtype)
    rows = x.shape[0] if x.ndim else 1
    several = options.listed(name, value, f"a number or {rows} of them", lengths=(1, rows))
    a = np.array([checked(name, v) for v in several], x.dtype)
    return a.reshape(()) if len(a) == 1 else a.reshape(-1, *[1] * (x.ndim - 1))
