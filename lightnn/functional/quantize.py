"""Affine quantization of activations (Jacob et al. 2018, arXiv 1712.05877, equations 1 and 12):

    q = clip(round(x / S) + Z, 0, 2^K - 1),        y = S (q - Z)

S is the size of a step, and Z the code of 0.
"""

import numpy as np

from lightnn.declare import same
from lightnn.tensor import op


def scale_and_zero_point(low: float, high: float, bits: int) -> tuple[np.float32, int]:
    """S and Z of a range low <= 0 <= high: S = (high - low) / (2^K - 1), Z = round(-low / S). S is 1 for 0 to 0."""
    S = np.float32((high - low) / (2**bits - 1))
    if not S > 0:  # also too small for a float32
        return np.float32(1), 0
    return S, int(np.clip(np.rint(-low / S), 0, 2**bits - 1))


@op(channels=same, keeps_zero=True)
def fake_quantize(x, *, scale, zero_point, bits):
    """y = S (q - Z) for an array x. STE: dL/dx = dL/dy where q was not clipped, else 0 (Bengio 2013, arXiv
    1308.3432)."""
    S, Z, dtype = x.dtype.type(scale), int(zero_point), x.dtype
    q = np.rint(x / S) + Z
    inside = (q >= 0) & (q <= 2**bits - 1)
    return ((np.clip(q, 0, 2**bits - 1) - Z) * S).astype(dtype), lambda dy: np.where(inside, dy, dtype.type(0))
